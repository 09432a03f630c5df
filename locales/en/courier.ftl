# Words of couriers and of the one message.

help-courier = Send by another phone: what waits goes with a phone or a stick, sealed, and whoever carries it cannot read it.
help-courier-out = Packs what waits on this phone and the parcels it carries for others.
help-courier-in = Takes a file of parcels: answers of the commune are read, parcels of other phones are carried along.
help-courier-to = A new file, or a folder that is there (a stick).
help-courier-out-path = A new file, or a folder that is there (a stick): one file for each parcel.
help-courier-in-path = A file of parcels, or a folder with such files.
help-report-sms = Also prints one SMS that tells of it ahead, where nothing else goes through.
help-sms = Prints the SMS of a report again.
help-hub-courier = Takes parcels from couriers and gives them the answers.
help-hub-courier-in = Takes parcels from a file or a stick.
help-hub-courier-out = Writes the answers for phones that sent by courier; only that phone can open its own.
help-hub-sms = Takes one SMS that reports an incident.
help-hub-sms-text = The message, letter by letter.
cli-courier-out = ✓→ Packed into { $path }: entries { $entries }, photo files { $files }, carried for others { $carried }. No receipt yet.
cli-courier-more = More waits than was packed; it goes with the next courier.
cli-courier-answers = ✓✓ The commune has answered: entries received { $received }, new items { $items }.
cli-courier-carried = Parcels taken along: { $n }; here already: { $known }.
cli-courier-delivered = Parcels delivered for other phones: { $n }.
cli-sms-made = The message for the number of the commune police, letter by letter:
cli-hub-courier-in = Parcels taken: { $parcels }. New entries { $entries }, photo files { $files }.
cli-hub-courier-out = ✓ Answers written to { $path }, one for each phone: { $n }.
cli-hub-courier-none = No phone has sent by courier yet.
cli-sms-to-come = ✓ { $kind }, incident { $id } of device { $device }. By SMS, full report to come.
cli-sms-here = ✓ { $kind }, incident { $id } of device { $device }. The full report is here.
cli-sms-known = This message came before: { $kind }, incident { $id } of device { $device }.
cli-sms-quarantined = ‖ Device { $device } is trusted no longer; its message is set aside.
error-courier-none = There is no file of parcels (.ybp) in { $path }. Choose another folder or file.
error-courier-too-many = The folder { $path } holds more files of parcels than { $limit }. Divide them and try again.
error-courier-damaged = Damaged or cut off and passed over in { $path }: { $n }; the rest was taken. Ask the sender to write them again.
error-courier-other-hub = What is in { $path } is for another commune; this phone does not carry it.
error-hub-courier-refused = Parts refused in { $path }: { $n }; the rest was taken. Look with --json, then ask the sending phone to write again.
error-sms-not-ours = This is no report by SMS; one begins with V1*. Copy the whole message again.
error-sms-version = This message is of a later version. Upgrade the hub, then enter it again.
error-sms-length = A report by SMS has 160 characters, this has { $found }. Copy the whole message again.
error-sms-symbol = No report by SMS has the character at place { $place }. Copy the whole message again.
error-sms-check = The message was mistyped or altered. Copy the whole message again.
error-sms-signature = The signature of the message does not hold: it was altered, or another phone sent it. It was not taken; call the reporter.
error-sms-unknown-device = The message is signed by a phone that does not belong to this commune; it was set aside. Call the reporter.
error-sms-differs = This phone said something else about the same incident before; the first message stays. Call the reporter.
error-sms-wrong-device = The message speaks of the log of another phone. It was not taken; call the reporter.
console-sms-to-come = By SMS, full report to come
console-sms-contradicted = By SMS; in the log of the phone something else stands there, ask the reporter
console-sms-enter = SMS that reports an incident, letter by letter
console-sms-take = Take the message
console-sms-set-aside = This phone is trusted no longer; its message is set aside. Call the reporter.
help-rescue = Rescues unsent work from a damaged store: what is damaged is set aside, the rest goes on, what is unsent goes into a file sealed to the commune.
help-rescue-out = A new file, or a folder that is there (a stick); the hub takes it with `yenban hub courier in`.
cli-rescue-kept = ! Damaged pages: { $pages } of { $all }; the damaged store is kept in { $path }. Entries read: { $entries }. The phone goes on with a new log.
cli-rescue-out = ✓→ Packed into { $path }: entries { $entries }, photo files { $files }. No receipt yet.
cli-rescue-files-left = Photo files too large for parcels: { $n }. They stay on the phone and go with the network.
cli-rescue-lost = ! Could not be read: { $first } to { $last } (received by the commune: { $received }).
error-rescue-lost = { $n ->
    [one] One entry could not be read, and the commune does not have it.
   *[other] { $n } entries could not be read, and the commune does not have them.
} Keep the damaged store, take the phone to the commune and report it again.
error-rescue-not-joined = The store { $path } no longer says whose it is. Keep the folder as it is, take it to the commune and join again with a new code.
