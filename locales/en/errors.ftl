# Each sentence says what, where, and what to do. Nobody is blamed.

error-store-busy = The store { $path } is in use by another command. Wait for it to end, then run this again.
error-store-foreign = { $path } is not a store of Yên Bản, so nothing in it was touched. Choose another folder.
error-store-damaged = The store { $path } is damaged ({ $reason }), so it was not touched. Run `yenban phone rescue --out FILE` to rescue unsent work.
error-store-newer = The store { $path } was made by a newer version. Update yenban, then run this again.
error-store-not-enrolled = The phone in { $path } has not joined a group. Ask the commune police for a code, then run `yenban phone --store { $path } enrol CODE`.
error-store-enrolled = The phone in { $path } has already joined. To join another group, choose another folder.
error-code-unreadable = The joining code cannot be read. Copy the whole line again, from start to end.
error-hub-unreachable = The commune hub at { $address } cannot be reached. Saved work is not lost; run this again when there is a network.
error-hub-mismatch = The machine at { $address } is not your commune's hub. Stop and ask the commune police.
error-hub-refused = The commune hub has not accepted it: { $reason }. Saved work is still on this phone.
error-hub-running = The hub in { $path } is running. Stop it, then run this again.
error-hub-not-running = The hub in { $path } does not run. Run `yenban hub serve --dir { $path }` first.
error-hub-missing = { $path } is not a hub's folder yet. Make one with `yenban hub init --dir { $path } --commune CODE --name NAME`.
error-hub-exists = There is a hub in { $path } already. Choose another folder.
error-file-missing = There is no file { $path }. Check the path.
error-file-unreadable = The file { $path } cannot be read: { $reason }. Check its permissions or choose another file.
error-file-unwritable = { $path } cannot be written: { $reason }. Check free space and permissions.
error-file-too-big = The file { $path } is too big, { $size }; at most { $limit }. Choose a smaller file.
error-file-not-utf8 = The file { $path } is not UTF-8 text (line { $line }). Save it again as UTF-8.
error-gpx-unreadable = { $path } is not a GPX track that can be read: { $reason }. Choose another file.
error-csv-rows = { $path }: lines to correct: { $n }; none was imported. Correct them and import again. By line number:{ $rows }
error-disk-full = No room left in { $path }. Free some, then run this again; saved work is not lost.
error-no-room = No room for a photograph in { $path }: { $mb } MB are missing. Words can still be saved; sync, or free some room.
error-kind-unknown = There is no kind { $kind }. Choose one of: { $kinds }.
error-position-invalid = The place { $value } is not on the earth. Latitude is -90 to 90, longitude -180 to 180.
error-patrol-none = No patrol is open. Start one with `yenban phone --store { $path } patrol start`.
error-patrol-open = A patrol is open ({ $patrol }). Finish it first.
error-incident-unknown = There is no incident { $id } on this phone. See `yenban phone --store { $path } incidents`.
error-alert-unknown = There is no alert { $id } on this phone. See `yenban phone --store { $path } alerts`.
error-commune-unknown = There is no commune with the code { $code } in the directory. A commune code has five digits.
error-hamlet-unknown = There is no hamlet named { $name } yet. Similar: { $nearest }. Make a new one with `hub enrol --create`.
error-hamlet-unknown-alone = There is no hamlet named { $name } yet. Make a new one with `hub enrol --create`.
error-text-empty = There is no text yet. Write at least one sentence.
error-text-too-long = The text has { $length ->
    [one] { $length } character
   *[other] { $length } characters
}; at most { $limit }. Shorten it or add the rest later.
error-value-invalid = { $option }: { $value } is not understood. Write it like { $example }.
error-pin-needed = A PIN is needed. Give it with --pin-file or YENBAN_PIN.
error-officer-unknown = There is no officer named { $name } at this hub. Similar: { $nearest }.
error-officer-unknown-alone = There is no officer named { $name } at this hub. Add one with `yenban hub enrol --role officer --name NAME`.
error-second-officer-needed = An alert to the whole commune needs two people. Add --second and the second one's name.
error-inside = The program met something unexpected: { $reason }. Saved work is not lost; give this sentence to whoever looks after the machine.

error-title-no = The answer is no
error-title-usage = The command must be written differently
error-title-could-not = This could not be done
error-usage = The command line is not clear. See `yenban --help`.
error-args-not-utf8 = The command line has text that is not UTF-8. Type it again in UTF-8.
error-command-missing = There is no command yet. See the commands with --help.
error-command-unknown = There is no command { $command }. See the commands with --help.
error-command-unknown-near = There is no command { $command }. Did you mean { $near }?
error-option-unknown = There is no option { $option } here. See --help of the command.
error-option-unknown-near = There is no option { $option } here. Did you mean { $near }?
error-option-missing = { $option } is missing. See --help of the command.
error-option-twice = { $option } was given too often. Give it once.
error-options-conflict = { $option } and { $other } do not go together. Leave one out.
error-value-missing = { $option } has no value. Write the value right after it.
error-choice-unknown = { $option }: there is no { $value }. Choose one of: { $choices }.
error-position-comma = The place { $value } is written with a comma. Write it with a point, like 20.66012.
error-position-unreadable = The place { $value } is not a number of degrees. Write it like --lat 20.66012 --lon 105.08345.
error-text-too-many-bytes = The text has { $length ->
    [one] { $length } byte
   *[other] { $length } bytes
}; at most { $limit }. Shorten it or add the rest later.
error-qr-too-long = The code is too long for a QR picture. Hand it over as text.
error-output = Standard output cannot be written: { $reason }. Check free space, then run this again.
error-io-not-found = it does not exist
error-io-permission = not allowed
error-io-folder = it is a folder
error-io-not-a-folder = a part of the path is not a folder
error-io-exists = it exists already
error-io-full = no room left
error-io-read-only = the drive can only be read
error-file = { $path } cannot be used: { $reason }. Check permissions and free space.
error-file-empty = The file { $path } is empty. Choose another one.
error-database = The database in { $path } could not do this ({ $reason }). Saved work is not lost; run it again.
error-not-saved = Nothing was saved in { $path }: { $reason }. Run the command again.
error-keys = The keys in { $path } cannot be used: { $reason }. Keep the folder as it is and ask whoever looks after the machine.
error-keys-foreign = The keys in { $path } are not those of this store. Put the right keys folder back.
error-pin-disabled = The PIN is disabled after too many wrong ones. Saved work is not lost; ask the commune police.
error-pin-refused = This PIN was not set: { $reason }. Choose 6 to 12 digits, no sequence and no date.
error-pin-none = The phone in { $path } has no PIN. Set one with `yenban phone --store { $path } set-pin` first.
error-patrol-paused = The patrol is paused. Go on with `yenban phone --store { $path } patrol resume` first.
error-patrol-not-paused = The patrol is not paused. There is nothing to resume.
error-input = The input was not accepted ({ $what }: { $reason }). Correct it, then run this again.
error-untrusted = The { $what } that arrived cannot be trusted: { $reason }. Nothing was kept; ask the commune police.
error-log-broken = The log does not agree at { $at }: { $reason }. Keep the folder as it is and take it to the commune.
error-member-unknown = This phone does not know member { $id }. Sync once, then run this again.
error-name-unknown = This phone has no { $id }. Check the name, then run this again.
error-checkpoint = The checkpoint code { $code } is mistyped. Check the six characters on the sign, like 15N-M7J.
error-check = { $n ->
    [one] { $n } thing does
   *[other] { $n } things do
} not agree in { $path }. Keep the folder as it is and take it to the commune.
error-gpx-line = { $path }, line { $line }: { $reason }. Correct it or choose another file.
error-gpx-no-track = it has no recorded track
error-gpx-only-routes = it has only { $n ->
    [one] { $n } planned route that
   *[other] { $n } planned routes that
} nobody walked
error-gpx-no-times = { $n ->
    [one] { $n } point has
   *[other] { $n } points have
} no time, so give the spacing in metres, as 200m
error-gpx-too-much = larger than can be read
error-gpx-encoding = it is not UTF-8 text
error-gpx-control = it has a control character
error-gpx-dtd = it has a document type definition or a foreign entity, which is not accepted
error-gpx-malformed = it is not well-formed XML
error-gpx-cut = the file is cut short
error-gpx-other = it is not GPX
error-gpx-version = a version of GPX other than 1.0 and 1.1
error-gpx-time = the time is not in the form 2026-11-22T14:52:00Z
error-place-missing = the latitude or longitude is missing
error-place-no-number = the place is not a number of degrees
error-place-off-earth = the place is not on the earth
error-hub-database = The hub in { $path } could not do this: { $reason }. See the log of the hub, then run this again.
error-hub-folder = { $path } cannot be used by the hub: { $reason }. Check the path, or restore a backup.
error-hub-network = The hub cannot listen: { $reason }. Choose another address with --listen.
error-hub-stopping = The hub is stopping. Run this again later.
error-hub-not-found = The hub has no { $what } { $name }. See hub list.
error-hub-input = The hub did not accept this: { $reason }. Correct it, then run this again.
error-folder-not-empty = The folder { $path } has something in it. Choose a new folder.
error-hub-file = The hub cannot use a file: { $reason }. Check path, permissions and free space.
error-item-held = This evidence is held for a case and cannot be destroyed yet.
error-hub-full = The hub has no room for files. Make room; reports still go through.
error-file-exists = There is a file { $path } already. Choose another name.
error-device-unreadable = The device { $device } is not 16 hex digits. See hub list devices.
error-io-cut = it is empty or cut short
error-io-name = the name cannot be used
error-io-too-large = too large
error-io-address-in-use = the address is in use
error-io-address-none = this machine has no such address
error-io-no-connection = the other side does not accept the connection
error-io-time-out = it took too long
error-io-busy = it is in use
error-item-not-held = Evidence { $id } is not held. There is nothing to do.
error-no-incident-since = There is no incident since { $time }. Choose an earlier time.
error-hub-not-done = The hub did not do this: { $reason }. Check it, then run this again.
error-io-no-file = it is no file
error-hub-check = In the hub { $path } things do not agree: { $found }. { $advice }
error-item-erased = Not done: this evidence was { $reason }. The chain and the custody record still tell of it.
error-hub-ended = The hub { $path } ended while it worked on this and did not answer, so whether it is done is not known. Start it again with `yenban hub serve`, see hub list audit, and repeat this if needed.
error-hub-answer = The hub { $path } answered in another form. Use the same version of yenban for both.
