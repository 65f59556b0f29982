"""What a month costs: prices, a traffic mix, what a request was measured to use, and docs/cost.md made of them."""
