# Words of the commune police's pages.

console-inbox = Inbox
console-alerts = Alerts
console-patrols = Patrols
console-map = Map
console-empty = Nothing new. The hamlet is calm.
console-purpose = What is it needed for?
console-read-logged = This view is recorded.

# Frame of every page.
console-people = People and phones
console-nav = Sections
console-skip = Skip to content
console-leave = Sign out
console-next-page = Next 50
console-commune = Commune
console-time-unknown = Time unknown
console-name-unknown = No name yet
console-member-number = Member number { $n }

# The door, and pages of one sentence.
console-door = The door
console-come-in = These pages are for the commune police. Whoever runs the hub opens a link, good once, within 30 minutes.
console-link-closed = This link was used or has expired. Ask the hub for a new one.
console-too-many-tries = Too many tries. Wait a minute, then open the link again.
console-left = Signed out
console-left-more = To come back, ask the hub for a new link.
console-form-old = The page was open too long or is not from here. Open it again and resend; nothing has changed.
console-not-found = No such page
console-nothing-here = There is nothing at this address.
console-not-done = Not done
console-not-taken = The request has not the right form. Nothing has changed.
console-hub-trouble = The hub could not answer. Data is kept; try again in a few minutes.

# Inbox.
console-search = Search reports (no diacritics needed)
console-search-go = Search
console-search-all = Show all
console-found = Reports with “{ $query }”.
console-found-nothing = No report matches.
console-amended = { $n ->
    [one] { $n } addition
   *[other] { $n } additions
}
console-branch = The log of this phone contradicts itself; talk to its holder.
console-no-photos = no photos
console-photos-here = { $n }/{ $all ->
    [one] { $all } photo
   *[other] { $all } photos
} intact
console-photos-missing = { $n ->
    [one] { $n } photo missing, still on phone { $phone }
   *[other] { $n } photos missing, still on phone { $phone }
}
console-photos-unnamed = { $n ->
    [one] Phone { $phone } announced { $all }; one was never named
   *[other] Phone { $phone } announced { $all }; { $n } were never named
}: not taken yet, not sent yet, or the phone went off in between. Ask the author, who can add photos.
console-photos-altered = ‖ { $n }/{ $all ->
    [one] { $all } photo
   *[other] { $all } photos
} altered, look at them
console-now = Going on now
console-alerts-live = Live alerts
console-alerts-none = No alerts.
console-patrols-none-now = No patrol is out.

# One incident.
console-purpose-duty = Duty officer takes it in
console-purpose-verify = Verifying the incident
console-purpose-help = Sending help
console-purpose-other = Another purpose
console-purpose-needed = Choose or write a purpose, then open.
console-open = Open content
console-advice = Safety first.
console-facts = Facts
console-facts-none = Nothing said yet.
console-opinions = Opinion, not yet fact
console-basis-unstated = Seen or told: not said
console-author = Reported by:
console-place = Place
console-photo-number = Photo { $n }
console-photo-verified = ✓✓ Intact, received
console-photo-expected = Not here yet, on the phone
console-photo-partial = Arriving, not whole yet
console-photo-missing = ‖ Missing: came, then was lost here
console-photo-altered = ‖ Altered
console-photo-erased = Destroyed: its time was over, or an order
console-photo-erased-at = Destroyed on { $at }: its time was over, or an order
console-fingerprint = Fingerprint of the photo (SHA-256)

# Patrols.
console-patrol-running = Patrol under way
console-patrol-paused = Paused
console-patrol-finished = Finished
console-patrols-none = No patrol yet.
console-patrols-caption = Newest patrol first.
console-check-ins = { $n ->
    [one] { $n } check-in
   *[other] { $n } check-ins
}
console-col-patrol = Patrol
console-col-state = State
console-col-leader = Recorded by
console-col-distance = Distance
console-col-last = Last
console-col-number = No.
console-col-time = Time
console-col-note = Note
console-check-ins-title = Check-ins
console-check-ins-caption = In the order recorded. A stretch without a place has its own line.
console-check-ins-cut = { $n } of { $all } are here; the exported file has all.
console-patrol-incidents = Reported on this patrol
console-patrol-calm = Nothing. The hamlet is calm.
console-gaps-none = No gaps.
console-see-list = See the list
console-sketch-start = start
console-sketch-end = end
console-sketch-north = N
console-sketch-caption = Dots: check-ins. Broken circle: accuracy. Two caps: place unknown, no line is drawn.
console-sketch-of = Sketch of the place: { $what }, { $place }
console-sketch-patrol = Sketch of the patrol: { $n ->
    [one] { $n } check-in
   *[other] { $n } check-ins
}, { $distance }, { $gaps ->
    [one] { $gaps } gap
   *[other] { $gaps } gaps
}. The list is below.

# Alerts.
console-alerts-over = Expired or taken back
console-alert-live = Live
console-alert-over = Expired
console-alert-cancelled = Taken back
console-alert-times = Sent { $sent } · until { $until }
console-alert-two = { $first } and { $second }
console-whole-commune = Whole commune
console-alert-for = Sent for (members)
console-alert-silent = No answer yet
console-alert-new = Compose an alert
console-alert-headline = What (one line)
console-alert-instruction = What to do
console-alert-description = More (if needed)
console-alert-severity = Level
console-alert-hamlets = To hamlets
console-alert-second = An alert for the whole commune needs a second officer: send it at the hub with hub alert --second.
console-hamlets-none = No hamlets yet. Import their list at the hub first.
console-alert-life = Holds for
console-alert-drill-more = no siren; marked as a drill above and below
console-alert-look = Preview
console-alert-preview = Preview before sending
console-alert-preview-more = Phones will show this. Not sent yet.
console-alert-until = Until
console-alert-for-n = { $n ->
    [one] For { $n } member of these hamlets.
   *[other] For { $n } members of these hamlets.
}
console-alert-send = Send alert
console-alert-again = Start again
console-alert-needs-headline = Say what, in one short line.
console-alert-needs-instruction = Say what to do.
console-alert-too-long = The added text is too long.
console-alert-needs-severity = Choose a level.
console-alert-needs-hamlet = Choose at least one hamlet.
console-alert-needs-life = Choose how long it holds.

# People and phones.
console-search-people = Search a person or hamlet (no diacritics needed)
console-people-count = { $n ->
    [one] { $n } person
   *[other] { $n } people
}, { $hamlets ->
    [one] { $hamlets } hamlet
   *[other] { $hamlets } hamlets
}.
console-people-none = Nobody is listed.
console-people-caption = By hamlet, group, name.
console-col-name = Name
console-col-role = Role
console-col-hamlet = Hamlet
console-col-group = Group
console-col-phones = Phones
console-odd-name = (unusual letters in the name)
console-role-officer = Commune police officer
console-role-chief = Chief of commune police
console-role-auditor = Outside reviewer
console-phones = Phones
console-phones-none = No phone has joined.
console-phones-caption = Newest first. A lost phone: have it revoked at the hub at once.
console-col-phone = Phone
console-col-entries = Entries
console-phone-active = In use
console-phone-expired = Certificate expired
console-phone-revoked = Revoked
console-phone-lost = Reported lost

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
console-photos-erased = { $n }/{ $all ->
    [one] { $all } photo
   *[other] { $all } photos
} destroyed
