"""Numbers to SVG; the only folder that imports matplotlib and seaborn."""
