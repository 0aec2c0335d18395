"""The settings of a training and of a data set: checked, completed, and the recipes that name them."""
