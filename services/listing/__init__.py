"""The participant list: its columns, criteria, orders and pages, searches and saved views."""
