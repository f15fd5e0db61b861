"""The settings: read from the environment, validated at start."""
