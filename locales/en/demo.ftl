# The story of `yenban demo`: one night on patrol, line by line.

demo-title = A night on patrol in { $hamlet }
demo-place = { $place }. Everything lies in { $path }.
demo-hub = The hub runs on { $address }. Phones trust the root { $root } only.
demo-joined = { $name } joins with a one-use code. Device { $device }.
demo-dark = No signal. { $name } starts the patrol, as every night.
demo-walked = ✓ { $check-ins ->
    [one] { $check-ins } check-in
   *[other] { $check-ins } check-ins
}, { $distance }. A ✓ means: durable on the phone.
demo-report-text = Earth and rocks cover the road at the Nánh stream
demo-reported = Urgent report: { $kind }. “{ $text }”
demo-photo = Photograph { $name }, { $size }, sealed. SHA-256 { $hash }…
demo-offline = No signal yet: { $unsent ->
    [one] { $unsent } entry waits
   *[other] { $unsent } entries wait
}, nothing is lost.
demo-cut = A signal, and a cut in the middle: the hub took { $taken ->
    [one] { $taken } entry
   *[other] { $taken } entries
}, the phone has receipts for { $received }. The hub goes down and up again.
demo-sent = Connected again, { $requests ->
    [one] { $requests } request
   *[other] { $requests } requests
}: receipts for the { $receipted ->
    [one] { $receipted } entry
   *[other] { $receipted } entries
} the hub had, { $pushed } more sent.
demo-files-sent = Photographs go after text: { $size } sent, the road broke on the way, only { $again } had to be sent again.
demo-bundle = The commune exports a bundle: { $n ->
    [one] { $n } original
   *[other] { $n } originals
}, { $size }. Anybody can check it and need trust no machine.
demo-bundle-purpose = demonstration
demo-altered = One byte of a photograph is changed in a copy of the bundle, and it is checked again.
demo-alert = The commune police send an alert. { $level }: { $headline }.
demo-alert-headline = Landslide at the Nánh stream
demo-alert-description = Leave the foot of the slope. Go up to the house of culture.
demo-answered = { $going }: I'm going. { $seen }: seen.
demo-lost-text = Written after the phone was reported lost
demo-lost = The phone of { $name } is reported lost. What it sends is set aside, and stays on the phone too.

demo-proved = What was checked, computed from the data of both sides:
demo-check-held = ✓
demo-check-broken = ✗
demo-proof-joined = { $n ->
    [one] { $n } phone
   *[other] { $n } phones
} joined, each code used once, one root trusted
demo-proof-offline = Recorded without a signal: { $n ->
    [one] { $n } entry
   *[other] { $n } entries
} durable on the phone
demo-proof-cut = Cut in the middle: the hub had { $taken ->
    [one] { $taken } entry
   *[other] { $taken } entries
}, the phone knew of { $received }
demo-proof-once = { $n ->
    [one] { $n } entry
   *[other] { $n } entries
} reached the hub, each exactly once
demo-proof-exact = { $n ->
    [one] { $n } position
   *[other] { $n } positions
} exact to 1e-7 degree, in order
demo-proof-honest = Every time lies between its earliest and its latest
demo-proof-quiet = Sent once more: nothing new, nothing twice
demo-proof-photos = { $n ->
    [one] { $n } photograph
   *[other] { $n } photographs
}: SHA-256 of file, log and hub are one
demo-proof-resumed = { $n ->
    [one] { $n } photograph is
   *[other] { $n } photographs are
} whole at the hub after the road broke; { $again } had to be sent again
demo-proof-verify = A bundle of { $n ->
    [one] { $n } photograph
   *[other] { $n } photographs
}: intact, under the root the phone pinned and the heads it remembers
demo-proof-altered = One byte changed: found at once, and only that photograph is named
demo-proof-sealed = No sentence, no name, no photograph lies in clear on the disk
demo-proof-alert = The alert reached { $n ->
    [one] { $n } phone
   *[other] { $n } phones
}
demo-proof-answers = { $n ->
    [one] { $n } answer
   *[other] { $n } answers
} counted at the hub
demo-proof-lost = A lost phone: what came later is set aside, not shown as normal
demo-proof-chains = Chains agree: { $phones ->
    [one] { $phones } entry
   *[other] { $phones } entries
} on phones, { $hub } at the hub
demo-all-held = All { $checks ->
    [one] { $checks } check
   *[other] { $checks } checks
} held. The hamlet is calm.
demo-some-broken = { $n ->
    [one] { $n } check
   *[other] { $n } checks
} did not hold. Give the table above to whoever looks after the machine.
demo-kept = Everything is kept in { $path }.
demo-until-stopped = The hub keeps running until Ctrl-C.
