"""The four pages: registering, changing, discharging."""
