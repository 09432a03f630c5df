# Câu chuyện của `yenban demo`: một đêm đi tuần, từng dòng một.

demo-title = Một đêm đi tuần ở { $hamlet }
demo-check-held = ✓ đúng
demo-check-broken = ✗ không đúng
demo-all-held = Cả { $checks } điều đều đúng. Bản yên.
