"""Ready studies, one YAML file each."""
