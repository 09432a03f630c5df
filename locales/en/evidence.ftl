# The minute of exported scene photos, and the words of the verifier.

minute-title = Minute of exported scene photos
minute-under = Part of an evidence bundle that the commune's hub signed; what was signed counts, this page is for reading.
minute-about = About
minute-commune = Unit
minute-exported = Exported at
minute-actor = Exported by
minute-purpose = Purpose
minute-scope = Scope
minute-scope-all = Everything of the commune
minute-scope-incidents = Incidents: { $n }
minute-root = Fingerprint of the commune root
minute-key = Signing key of the hub
minute-head = Root of the custody record, newest signed head
minute-incidents = Incidents
minute-none = None.
minute-id = Name
minute-when = Time
minute-place = Place
minute-author = Recorded by (a claim made on the phone)
minute-said = What was recorded
minute-photos = Photos
minute-copy = Smaller copy for viewing, not the original
minute-no-copy = No smaller copy
minute-state = Original
minute-state-here = In this bundle
minute-state-deleted = Destroyed; the custody record says by whom and why
minute-state-altered = Found altered at the hub
minute-state-missing = Found missing at the hub
minute-state-not-received = Has not reached the hub
minute-file = File
minute-size = Length
minute-subject = Of incident
minute-source = Source
minute-source-camera = Taken with the camera of the app
minute-source-import = Brought in from elsewhere
minute-recovered = taken in later, after the app had ended
minute-received = Record reached the hub
minute-device = Device
minute-not-after = not after { $at }
minute-not-before = not before { $at }
minute-place-satellites = by satellites, as the phone recorded
minute-place-network = by network, as the phone recorded
minute-place-claimed = entered by a person or software
minute-custody = What was done
minute-custody-at = When
minute-custody-who = Who, what for
minute-custody-erased = Name erased when its time was over
custody-received = File received
custody-verified = Read back, as its record says
custody-viewed = Viewed
custody-derived = Working copy made
custody-exported = Exported
custody-export-failed = Export not finished, no file was made
custody-held = Held for a case
custody-released = Hold ended
custody-deleted = Bytes and key destroyed
custody-found-altered = Found altered
custody-found-missing = Found missing
custody-asked = Phone asked to send it again
custody-other = Other
minute-limits = What is proved, and its limits
minute-claim = These bytes existed on the device named above, whose key vouched for them at a moment between the time token and the receipt that the hub signed, and they have not changed since.
minute-limit-truth = It does not say that the picture shows the truth: no check knows what stood before the lens.
minute-limit-author = Who recorded is a claim; the device alone signs. Time and place are what the phone recorded, within what the hub's signatures allow.
minute-limit-keeper = A chain of hashes proves nothing against its keeper. Compare it with the signed heads that phones of the commune remember.
minute-limit-root = Whoever holds the commune root could have made all of it. Compare the root's fingerprint with another source.
minute-how = How to verify
minute-how-root = Get the root's fingerprint from somewhere else, for example a phone of the commune, and compare it with section 1.
minute-how-verify = Verify the whole bundle, without network or hub:
minute-how-other = The format is published in docs/EVIDENCE.md, completely enough to write another verifier.
minute-giver = Handed over by
minute-taker = Received by

verify-verdict-intact = ✓ Intact
verify-verdict-erased = ◌ Intact, with parts erased in order
verify-verdict-incomplete = ! Incomplete
verify-verdict-altered = ✗ Altered
verify-line-intact = intact
verify-line-erased = erased
verify-line-incomplete = incomplete
verify-line-altered = altered
verify-kind-bundle = Whole bundle
verify-kind-file = Member
verify-kind-custody = Heads of custody
verify-kind-log = Log
verify-kind-incident = Incident
verify-kind-photo = Photo
verify-kind-copy = Smaller copy
verify-under-root = Under root { $root } (the one you gave).
verify-under-root-unknown = Under root { $root }. Compared with none: get the root's fingerprint from somewhere else and use --root.
verify-about = { $hub } ({ $commune }), exported { $at }, purpose: { $purpose }
verify-figures = Photos: { $photos }, intact: { $intact }
verify-witness-none = No heads of a witness: a hub that rewrote its own record would not be seen. See --witness.
verify-progress = Read { $size }
verify-reason-cut = the bundle is cut short
verify-reason-form = bytes that are not where they should be
verify-reason-manifest-missing = there is no manifest
verify-reason-keys-missing = there are no keys of the commune
verify-reason-keys = the commune's keys are not signed by the root
verify-reason-other-root = under another root
verify-reason-manifest = the manifest is not signed by the hub
verify-reason-version = unknown version
verify-reason-commune = of another commune
verify-reason-not-listed = not in the manifest
verify-reason-file-missing = in the manifest, not in the bundle
verify-reason-bytes = bytes differ from those signed
verify-reason-malformed = not of its form
verify-reason-certificate = a certificate is not signed by the hub
verify-reason-receipt = a receipt is not signed by the hub
verify-reason-heads-missing = no heads of the custody record
verify-reason-head = the signature does not hold
verify-reason-head-order = heads do not follow each other
verify-reason-witness = not what the witness kept, or heads that it kept are missing
verify-reason-restored = the hub was restored from an older backup
verify-reason-order = entries do not follow each other
verify-reason-no-head = the device's signature at the end is missing
verify-reason-no-certificate = no certificate of the device
verify-reason-device = of another device
verify-reason-token = a time token is not signed by the hub
verify-reason-parts-erased = parts were erased or are withheld
verify-reason-entry-erased = its entry was erased
verify-reason-entry-missing = its entry is not there
verify-reason-not-an-incident = its entry is no incident
verify-reason-attachments = fewer photos than it announced
verify-reason-chain = the log it stands in does not hold
verify-reason-facts-erased = its facts were erased
verify-reason-unexplained = no entry tells of it
verify-reason-not-a-photo = its entry is no photo
verify-reason-deleted = destroyed in order
verify-reason-altered-at-hub = found altered at the hub
verify-reason-missing-at-hub = found missing at the hub
verify-reason-not-received = has not reached the hub
verify-reason-no-receipt = no receipt
verify-reason-custody-missing = no custody record
verify-reason-custody-bytes = its custody record differs from what was signed
verify-reason-custody-malformed = its custody record is not of its form
verify-reason-custody-unproved = its custody record has no proof
verify-reason-custody-order = its custody record is out of order
verify-reason-custody-head = a head of its custody record is missing
verify-reason-custody-proof = its custody record is not the one that was signed
verify-reason-custody-uncovered = its custody record goes beyond the signed one
verify-reason-custody-late = its custody record does not fit a head that was signed after it
verify-reason-custody-export = its custody record does not tell of this export
verify-reason-custody-received = its custody record does not tell that these bytes came

help-verify = Verify an evidence bundle of scene photos: needs no hub and no network.
help-verify-bundle = The bundle, as `yenban hub export --format bundle` writes it.
help-verify-root = The commune root you trust: its fingerprint of 64 digits, or a file that holds it.
help-verify-witness = Signed heads of custody that a phone of the commune remembers.
help-export-purpose = What the export is for; goes into the read log, for a bundle also into the custody record of every photo.
cli-purpose-none = purpose not stated
cli-bundle-written = ✓ Exported { $photos ->
    [one] { $photos } photo
   *[other] { $photos } photos
} ({ $originals } with the original) of { $incidents ->
    [one] { $incidents } incident
   *[other] { $incidents } incidents
} to { $path }, { $size }.
cli-bundle-altered = ‖ Photo { $item }, { $file }: altered at the hub, so not in the bundle. Phone { $phone } was asked to send it again; export again when it is here.
cli-bundle-missing = ‖ Photo { $item }, { $file }: lost at the hub, so not in the bundle. Phone { $phone } was asked to send it again; export again when it is here.
cli-bundle-expected = Photo { $item }, { $file }: not here yet, on phone { $phone }. Export again when it is here.
cli-bundle-root = Fingerprint of the root, to compare when it is verified: { $root }
error-verify-incomplete = The bundle { $path } is incomplete: { $reason }. { $advice }
error-verify-no-bundle = { $path } is no evidence bundle ({ $reason }). Give the file that `yenban hub export --format bundle` wrote.
error-verify-altered = The bundle { $path } was altered: { $reason }. { $advice }
verify-advice-incomplete = See the lines above; ask the commune to send this bundle again, whole.
verify-advice-altered = Do not use it; ask the commune for the bundle again and keep this file to compare.
verify-advice-at-hub = The hub itself found that when it exported, and asks phones that still have the photograph; ask for a new bundle when it is back.
verify-advice-not-yet = The photograph is still on the phone; ask for a new bundle when the phone has sent it.
verify-advice-restored = Ask the commune about that restore; keep this bundle and the heads to compare.
verify-advice-root = Compare the root's fingerprint with another source once more; if the one you gave is right, do not use this bundle.
verify-advice-witness = Do not use it before this is cleared up: the hub's record is not what the phone remembers. Keep this bundle and the file of heads.
error-root-unreadable = The root { $value } cannot be read. Give the 64 digits of its fingerprint, or the name of a file that holds it.
error-witness-unreadable = { $path } does not hold heads that a phone remembers. Export it from the phone again.

help-witness = Signed heads of the commune's custody record that this phone remembers, to compare a bundle with.
help-witness-out = Write them to a file, for `yenban verify --witness`.
phone-empty-witness = This phone remembers no signed head yet. Sync with the hub first.
cli-witness-head = Head { $number } · { $time } · { $items ->
    [one] { $items } photograph
   *[other] { $items } photographs
} · { $root }…
cli-witness-contradicted = ✗ Head { $number } · { $time } · { $items ->
    [one] { $items } photograph
   *[other] { $items } photographs
} · { $root }… · the hub signed two different ones
cli-witness-written = ✓ { $n ->
    [one] { $n } signed head
   *[other] { $n } signed heads
} written to { $path }.
verify-under-root-other = Under root { $root }. NOT the one you gave.
cli-status-root = Fingerprint of the commune root: { $root }
help-amend-photo = Add a photograph to the incident, also one that could not be taken in before. May be given several times.
error-not-a-file = { $path } is no file. Choose a file.
error-photo-left-out = Report { $id } is saved. Photograph { $path } was not taken in: { $reason } Add it with `phone amend { $id } --photo`.
minute-photos-missing = Not complete: { $n ->
    [one] { $n } announced photograph is
   *[other] { $n } announced photographs are
} missing
minute-file-original = original
minute-file-preview = small copy
minute-file-thumbnail = thumbnail
minute-actor-operator = operator of the hub
minute-actor-hub = the hub
minute-actor-device = phone
cli-hub-evidence-missing = ✗ At the hub: missing photographs: { $missing }, altered: { $altered }. Run hub check: phones that still have them are asked again.
verify-times = on the device after { $from }, at the hub before { $to } (Vietnam time)
verify-time-after = at the hub before { $to } (Vietnam time)
verify-times-signed = the photo that was signed, not these bytes: { $times }
minute-photos-altered = { $n ->
    [one] { $n } photograph was
   *[other] { $n } photographs were
} altered at the hub
minute-photos-erased = { $n ->
    [one] { $n } photograph was
   *[other] { $n } photographs were
} destroyed
minute-purpose-retention = its time was over
photo-flag-truncated = the file is cut short, the picture has no end
photo-flag-trailing-data = something else follows the picture
photo-flag-exif-malformed = its EXIF cannot be read, or not to its end
photo-flag-exif-too-many = its EXIF has more entries than a camera writes and was not read
photo-flag-gps-invalid = the place in it is none on earth and was not taken over
photo-flag-gps-conflict = the place in it is far from that of the phone
photo-flag-type-differs = the file is of another type than its name or the camera says
photo-flag-too-many-scans = the picture has more scans than an encoder makes
photo-flag-other = a remark that this version does not know
cli-export-unstated = The purpose was not stated, and the records say so. State it with --purpose.
