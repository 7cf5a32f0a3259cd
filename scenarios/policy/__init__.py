"""The policy file: claims about scenarios, each with how often it must hold and how often a decision may be wrong."""
