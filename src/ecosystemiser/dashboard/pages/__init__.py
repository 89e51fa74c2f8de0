"""The pages of the explorer, one file each, by the path of their addresses; each has one function `show`."""
