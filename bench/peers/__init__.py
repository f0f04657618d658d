"""What a team would write in Tradebook's place, with the frameworks picked for it, and how they compare."""
