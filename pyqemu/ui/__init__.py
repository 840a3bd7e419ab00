"""What the user sees and types: frames, screenshots, keys, fonts, the curses display."""
