"""Stories: the whole road, in any order, in a storm, killed at every step, and as a person walks it."""
