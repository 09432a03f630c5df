# The story of `yenban demo`: one night on patrol, line by line.

demo-title = A night on patrol in { $hamlet }
demo-check-held = ✓ held
demo-check-broken = ✗ did not hold
demo-all-held = All { $checks } checks held. The hamlet is calm.
