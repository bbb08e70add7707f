"""The door for other people's pages: the figure as JSON, fragment, frame, picture and script. It cannot write."""
