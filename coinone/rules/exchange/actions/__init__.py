"""What each action does, one chapter per kind; engine.py calls them segment by segment."""
