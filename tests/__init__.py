"""The tests, by cost: unit (pure), aws (moto), synth (templates), lab (drills)."""
