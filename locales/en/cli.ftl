# Words of the command line.

cli-patrol-started = Patrol started at { $time }.
cli-patrol-finished = Patrol finished: { $check-ins ->
    [one] { $check-ins } check-in
   *[other] { $check-ins } check-ins
}, { $distance }.
cli-checked-in = ✓ Checked in at { $time }.
cli-report-saved = ✓ Saved: { $kind }. Id { $id }.
cli-sync-up-to-date = ✓✓ Everything has reached the commune.
cli-sync-partial = { $unsent ->
    [one] { $unsent } item waits
   *[other] { $unsent } items wait
} to be sent. Run again to go on.
cli-joined = Joined the group of { $place }. Four words: { $words }
