"""The apps framework: apps in frames beside tickets, and the page around them that answers what they ask for."""
