"""The program: public API and command line."""
