# Words of the commune police's pages.

console-inbox = Inbox
console-alerts = Alerts
console-patrols = Patrols
console-map = Map
console-empty = Nothing new. The hamlet is calm.
console-purpose = What is it needed for?
console-read-logged = This view is recorded.
