# The hub's map.
map-of-commune = Map of the commune's incidents and patrols. Arrow keys move it, + and − go closer and further. The list stands beside it.
map-listed = { $n ->
    [one] { $n } incident from the top of the list
   *[other] { $n } incidents from the top of the list
}
map-list = Incidents
map-whole-list = The whole list
map-unplaced = { $n ->
    [one] { $n } incident has no known place and is not on the map: see the inbox.
   *[other] { $n } incidents have no known place and are not on the map: see the inbox.
}
map-walking = On patrol now
map-nobody-walks = No group is on patrol.
map-in-frame = { $n ->
    [one] In the frame: { $n } incident, { $urgent } urgent
   *[other] In the frame: { $n } incidents, { $urgent } urgent
}
map-in-square = { $n ->
    [one] { $n } incident close together, { $urgent } urgent
   *[other] { $n } incidents close together, { $urgent } urgent
}
map-key-incident = Incident
map-key-many = Many close together; press to go closer
map-key-way = Way of a patrol
map-key-gap = Place not known; no line is drawn
map-closer = Closer
map-further = Further
map-whole = Show all
map-failed = This computer cannot draw the map. List and sketch say the same.
map-asleep = The map's data could not be read. It is tried again.
map-hoang-sa = Hoàng Sa islands (Viet Nam)
map-truong-sa = Trường Sa islands (Viet Nam)
map-touch = Move the map with two fingers
map-wheel = Hold Ctrl and turn the wheel to go closer
map-area = Area on the map
map-area-how = Hamlets whose centre lies in the drawn area are ticked. Without the map type "lat,lon lat,lon …" (the first point once more at the end) or "lat,lon radius in km".
map-area-text = Area (typed or drawn)
map-of-area = Map on which the area of an alert is drawn. The area can be typed, or hamlets chosen, instead.
map-radius = Radius, km
map-polygon = Draw an area
map-circle = Draw a circle
map-done = Done
map-clear = Clear the area
map-drawing = Press each corner of the area, then Done.
map-centring = Press the middle of the area.
map-sheet-pdf = Save the sheet (PDF)
