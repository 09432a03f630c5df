# Words of the commune police's pages.

console-inbox = Inbox
console-alerts = Alerts
console-patrols = Patrols
console-map = Map
console-empty = Nothing new. The hamlet is calm.
console-purpose = What is it needed for?
console-read-logged = This view is recorded.

# The commune's table file (hub import). Each sentence is about one line of it.
import-empty = The file has no row to take.
import-too-large = The file is larger than { $most }.
import-too-many = The file has more than { $most } rows; divide it into several.
import-not-utf8 = The text is not UTF-8; save the file as "CSV UTF-8".
import-not-a-table = This is not a CSV file.
import-no-hamlet-column = The first line has no column "hamlet" (or bản, thôn, xóm).
import-column-twice = The column "{ $column }" means the same as one before it.
import-too-many-cells = More cells than the first line has; check the separator.
import-no-hamlet = The name of the hamlet is missing.
import-name-too-long = The name is longer than { $most } characters.
import-hidden-characters = The name "{ $name }" has hidden characters; type it again.
import-half-a-place = A place needs latitude and longitude.
import-bad-latitude = The latitude "{ $value }" is no number from -90 to 90.
import-bad-longitude = The longitude "{ $value }" is no number from -180 to 180.
import-centre-differs = The place of the hamlet differs from line { $line }.
import-member-twice = This person stands on line { $line } already; if they are two, add a word that tells them apart.
import-unknown-role = The role "{ $role }" cannot be given by a file; write "leader", "deputy" or "member".
import-role-without-name = There is a role but no name.
import-more-bad-rows = { $n } more rows need mending.
