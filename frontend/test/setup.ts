// What jsdom does not have of a browser; a test that needs them working puts its own in.
