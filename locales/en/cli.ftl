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
cli-sync-partial-files = { $unsent ->
    [one] { $unsent } item
   *[other] { $unsent } items
} and { $files ->
    [one] { $files } photo file
   *[other] { $files } photo files
} wait to be sent. Run again to go on.
cli-joined = ✓ Joined the group of { $place }. Device { $device }.

# Words of --help.
help-usage = Usage
help-example = Example
help-commands = Commands
help-command = COMMAND
help-options = Options
help-options-short = OPTIONS
help-values = Values
help-help = Show how to use it.
help-version = Show the version.
help-json = Print exactly one JSON document on standard output, nothing else.
help-lang = Language: vi or en. Otherwise the locale's, Vietnamese by default.
help-yenban = Yên Bản: the commune hub, the volunteer's phone and a demonstration, in one command.
help-demo = See the whole job: a hub, two phones and one night patrol, then a table of what was checked.
help-demo-dir = Folder in which everything is kept. Otherwise a temporary one, removed at the end.
help-demo-track = GPX track instead of the one that is made. May be repeated.
help-demo-photo = JPEG photograph instead of those that are made. May be repeated.
help-demo-open = Keep the hub running and print the address of the console.

help-hub = The commune hub: make, run, look, look after.
help-hub-dir = Folder of the hub.
help-hub-init = Make a hub: commune root, keys, database, first officer.
help-init-dir = New folder of the hub.
help-init-commune = The commune's five-digit code in the directory.
help-init-name = Name of the office, as "Công an xã Mai Châu".
help-init-officer = Name of the first officer (the one in charge); others join later by hub enrol.
help-recovery-file = File of the recovery key. Otherwise DIR.recovery beside the folder.
help-hub-serve = Run the hub until it is stopped (Ctrl-C). The first line printed is the address it listens on.
help-serve-host-name = Host name of the hub that browsers trust: passkeys work under it.
help-serve-listen = Address to listen on; port 0 is any free one. 127.0.0.1:8443 by default.
help-hub-import = Import hamlets, groups and members from a CSV file; with one bad row nothing is imported.
help-import-file = CSV file; its columns stand in docs/OPERATIONS.md.
help-hub-enrol = Make a joining code, one use, 10 minutes. The last line printed is the code.
help-enrol-hamlet = Hamlet of whoever gets the code.
help-enrol-create = Make the hamlet if it is new.
help-enrol-role = Role: member, leader, officer, chief or auditor.
help-enrol-name = Name of whoever gets the code.
help-enrol-address = Address inside the code. Otherwise the one the hub listens on.
help-enrol-png = Write the QR code as a PNG file.
help-hub-alert = Send an alert to hamlets.
help-alert-headline = One line: what.
help-alert-description = What is happening.
help-alert-instruction = What to do.
help-alert-severity = Level: Extreme, Severe, Moderate, Minor or Unknown.
help-alert-hamlet = For this hamlet; may be repeated. Otherwise for the whole commune, which needs --second.
help-alert-expires = How long it holds, as 90min, 6h, 2d. 6h by default.
help-alert-drill = It is a drill.
help-alert-second = Name of the second officer who agreed; an officer of this hub.
help-hub-revoke = Trust a device no longer; unsent work on it is kept.
help-revoke-device = Device, 16 hex digits; see hub list devices.
help-revoke-lost = The device is lost.
help-hub-console = Open the door to the console of a running hub: one link, good once, within 30 minutes.
help-console-officer = Name of the officer who comes in; the read log has it.
help-hub-status = Show the figures: devices, entries, photographs, alerts, receipts.
help-hub-list = Show a list.
help-list-what = incidents, patrols, check-ins, evidence, alerts, devices, quarantine or audit.
help-hub-export = Export to a file for maps and spreadsheets, or scene photos with all that proves them.
help-export-format = Form of the file: geojson, gpx, csv or bundle.
help-export-incident = This incident only.
help-export-since = From this time only: 2026-11-22, 2026-11-22T21:00+07:00 or 24h.
help-export-out = File to write.
help-hub-check = Read every chain and every file again, say what is missing or altered, and ask phones that still have it.
help-hub-hold = Hold an item of evidence for a case, so that the end of its time does not destroy it. Takes two officers.
help-hub-erase = Destroy an item of evidence by an order. It cannot be had back. Takes two officers.
help-item = Name of the item, as hub list evidence shows it.
help-order-officer = Name of the officer who orders; an officer of this hub.
help-order-second = Name of the second officer who agreed.
help-hold-case = Number of the case.
help-hold-for = How long, at most six months; it can be renewed. Otherwise six months.
help-hold-release = End the hold; needs --why.
help-hold-why = Why the hold ends.
help-erase-why = Why it is destroyed, such as the number of the order.
help-hub-backup = Back up, sealed to the recovery key.
help-backup-file = Backup file.
help-hub-restore = Restore a hub from a backup into a new folder.
help-restore-dir = New folder of the hub.

help-phone = The volunteer's phone without a screen: the same core as the app.
help-store = Folder of the phone.
help-pin-file = File with the PIN. Otherwise YENBAN_PIN is read.
help-phone-enrol = Join a group with a code of the commune police.
help-enrol-code = Joining code, the whole line.
help-patrol = Patrol.
help-patrol-start = Start a patrol.
help-check-in = Check in.
help-patrol-pause = Pause.
help-patrol-resume = Go on after a pause.
help-patrol-finish = Finish the patrol.
help-lat = Latitude, decimal degrees.
help-lon = Longitude, decimal degrees.
help-accuracy = Accuracy, metres.
help-checkpoint = Code at the checkpoint.
help-note = A note.
help-replay = Record a whole patrol from a GPX track, its times kept as satellite time.
help-replay-track = GPX file.
help-every = How far apart, or how long, check-ins are: 200m, 5min. 200m by default.
help-report = Report an incident.
help-kind = Kind: fire, flood, landslide, accident, medical, missing_person, fight, family_violence, weapon_found, trafficking, theft, fraud, drugs_sign, gambling, disorder, dispute, border, forest, road_power, other.
help-text = Text, kept as it is typed.
help-basis = seen: I saw, heard: I was told, think: I think.
help-photo = A photograph; may be repeated.
help-urgent = It is urgent.
help-amend = Add to a reported incident; the first text stays.
help-amend-incident = Incident; see phone incidents.
help-sync = Send saved work to the commune and fetch alerts.
help-once = One round only.
help-until-empty = Until nothing waits.
help-max-seconds = At most so many seconds.
help-phone-status = Show the phone: what was sent, whether a patrol is open, which alerts.
help-outbox = Show each entry: to send, sent, received.
help-incidents = Show reported incidents.
help-patrols = Show patrols.
help-alerts = Show alerts.
help-feed = Show everything the commune sent to this phone.
help-answer = Answer an alert.
help-answer-seen = Seen.
help-answer-going = I'm going.
help-answer-cannot = Can't come.
help-answer-done = Done.
help-answer-alert = Alert; see phone alerts.
help-search = Search what was reported, no diacritics needed.
help-search-text = What to look for.
help-handover = Hand the phone to the next member; nothing is erased.
help-handover-member = Number of the member who takes it.
help-set-pin = Set the PIN of the member's vault.
help-lock = Lock the vault; checking in and urgent reports still work.
help-unlock = Open the vault with the PIN.
help-phone-check = Check chain, readable part and photo files against the log.
cli-patrol-paused = ✓ Paused.
cli-patrol-resumed = ✓ Going on.
cli-photos-saved = ✓ Sealed { $n ->
    [one] { $n } photograph
   *[other] { $n } photographs
}.
cli-photos-of = { $n ->
    [one] { $n } photograph
   *[other] { $n } photographs
}
cli-amended = ✓ Added. The first text stays.
cli-until = until { $time }
cli-unanswered = not answered yet
cli-answered = ✓ Answered: { $answer }.
cli-pin-set = ✓ The PIN is set.
cli-unlocked = ✓ Unlocked.
cli-handed-over = ✓ Handed over to member { $member }.
cli-checked = { $entries ->
    [one] { $entries } entry
   *[other] { $entries } entries
}: { $verified } verified, { $sealed } sealed for others, { $files ->
    [one] { $files } photograph file
   *[other] { $files } photograph files
}.
cli-all-agrees = ✓ Everything agrees.
cli-not-joined = This phone has not joined. Ask the commune police for a code.
cli-status-outbox = ✓ Saved · { $unsent } to send · { $received } received · { $parked } set aside
cli-status-patrol = On patrol since { $time } · { $check-ins ->
    [one] { $check-ins } check-in
   *[other] { $check-ins } check-ins
} · { $distance }
cli-status-alerts = Alerts: { $unread } not answered, { $total } in all
cli-status-photos = Photographs: { $captured } captured, { $uploaded } delivered
cli-status-space = Room: { $originals } of { $quota } MB of original photographs, { $free } MB free on the phone
cli-status-no-room = No room for a photograph: { $mb } MB are missing. Words can still be saved.
cli-nothing-found = Nothing found.
cli-no-patrols = No patrols yet.
cli-patrol-line = { $time } · { $check-ins ->
    [one] { $check-ins } check-in
   *[other] { $check-ins } check-ins
} · { $distance }
cli-progress = { $done }/{ $total }
cli-replay-went-on = This patrol had { $n ->
    [one] { $n } check-in
   *[other] { $n } check-ins
} already; going on from there.
cli-replayed = A track of { $points ->
    [one] { $points } point
   *[other] { $points } points
}, { $pauses ->
    [one] { $pauses } pause
   *[other] { $pauses } pauses
}. Patrol { $id }.
cli-sync-done = Sent { $pushed ->
    [one] { $pushed } entry
   *[other] { $pushed } entries
} ({ $sent }), received { $pulled ->
    [one] { $pulled } item
   *[other] { $pulled } items
}.
cli-hub-made = ✓ Made the hub { $name } ({ $commune }) in { $path }.
cli-hub-root = Fingerprint of the commune root, to be hung up at the office: { $root }
cli-hub-recovery = The recovery key is in { $path }. Keep it away from this machine: no backup opens without it.
cli-hub-first-link = Run yenban hub serve, then open this link within 24 hours to make the first account (it works once): { $link }
cli-hub-checked = Read { $entries ->
    [one] { $entries } entry
   *[other] { $entries } entries
} and { $files ->
    [one] { $files } file
   *[other] { $files } files
} again.
cli-hub-asked = Asked phones to send { $n ->
    [one] { $n } file
   *[other] { $n } files
} again.
cli-hub-orphans = { $n ->
    [one] { $n } file belongs to no entry; it is swept after a week
   *[other] { $n } files belong to no entry; they are swept after a week
}.
cli-item-held = ✓ Evidence { $id } is held until { $until }.
cli-item-released = ✓ Evidence { $id } is held no longer.
cli-item-erased = ✓ Evidence { $id } was destroyed. The chain still verifies.
cli-hub-backed-up = ✓ Backed up to { $path } ({ $size }).
cli-hub-backup-unread = ‖ { $n ->
    [one] One photo file
   *[other] { $n } photo files
} could not be read: not in this backup, or not whole. Run hub check to see which.
cli-photos-complete = { $all ->
    [one] its photo is here
   *[other] all { $all } photos here
}
cli-photos-lacking = { $n } of { $all ->
    [one] { $all } photo
   *[other] { $all } photos
} missing
cli-photos-unnamed = { $n } announced and never named
cli-hub-restored = ✓ Restored { $name } in { $path }: { $entries ->
    [one] { $entries } entry
   *[other] { $entries } entries
}. Phones will offer again what is missing.
cli-hub-serving = The hub listens on { $address }
cli-hub-console = Console: { $console }
cli-hub-stopped = The hub has stopped.
cli-code-made = Joining code for { $place } ({ $role }), one use within 10 minutes, through { $address }:
cli-whole-commune = the whole commune
cli-alert-sent = ✓ Alert sent to { $place }. Id { $id }.
cli-console-link = Link into the console, good once, within 30 minutes. Give it to the one who comes in alone.
cli-revoked = ✓ Device { $device } is trusted no longer. What it sends from now on is set aside.
cli-revoked-before = Device { $device } had been revoked before.
cli-imported = ✓ Imported { $hamlets ->
    [one] { $hamlets } hamlet
   *[other] { $hamlets } hamlets
}, { $groups ->
    [one] { $groups } group
   *[other] { $groups } groups
}, { $members ->
    [one] { $members } member
   *[other] { $members } members
}; { $unchanged ->
    [one] { $unchanged } row was
   *[other] { $unchanged } rows were
} there already.
cli-hub-devices = Devices: { $devices } in use, { $revoked } revoked
cli-hub-entries = Entries: { $entries } · patrols: { $patrols } · check-ins: { $check-ins }
cli-hub-alerts = Alerts: { $alerts } · receipts: { $receipts } · quarantine: { $quarantine }
cli-hub-chains-differ = ✗ A chain does not agree. Run hub check.
cli-hub-list-empty = Nothing yet.
cli-exported = ✓ Exported { $patrols ->
    [one] { $patrols } patrol
   *[other] { $patrols } patrols
}, { $check-ins ->
    [one] { $check-ins } check-in
   *[other] { $check-ins } check-ins
}, { $incidents ->
    [one] { $incidents } incident
   *[other] { $incidents } incidents
} to { $path }.
cli-hub-incidents = Incidents: { $incidents } · photographs: { $verified } verified, { $expected } expected, { $missing } missing, { $altered } altered, { $erased } destroyed
cli-photos-altered = { $n } of { $all ->
    [one] { $all } photo
   *[other] { $all } photos
} altered
cli-photos-erased = { $n } of { $all ->
    [one] { $all } photo
   *[other] { $all } photos
} destroyed
cli-list-held = held until { $until } for case { $case }
cli-list-erased = destroyed on { $at }
cli-audit-done = done
cli-audit-not-done = not done: { $why }
cli-audit-open = outcome not known
hub-check-altered = { $n ->
    [one] { $n } photo file
   *[other] { $n } photo files
} altered
hub-check-missing = { $n ->
    [one] { $n } photo file
   *[other] { $n } photo files
} missing
hub-check-chains = { $n ->
    [one] { $n } place
   *[other] { $n } places
} in the chains that do not agree
hub-check-uploads = { $n ->
    [one] { $n } upload
   *[other] { $n } uploads
} begun anew
hub-check-others = { $n ->
    [one] { $n } thing that is
   *[other] { $n } things that are
} no file in the folder objects
hub-check-advice-chains = Keep the folder as it is; restore a backup into another folder and compare.
hub-check-advice-files = Phones that still have the photographs were asked for them; take the others from a backup.
hub-check-advice-uploads = There is nothing to do: the phone sends it again.
hub-check-advice-others = Move what is no file out of the folder objects.
cli-photos-destroyed = The hub has destroyed { $n ->
    [one] { $n } photograph
   *[other] { $n } photographs
} of this phone by its rules; they are not sent any more.
cli-nothing-waits = ✓ Nothing waits to be sent.
