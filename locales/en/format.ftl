# Patterns of times, distances and sizes. Numbers are already written the English way.

format-about = about { $what }
format-between = { $from }–{ $to }
format-vietnam-time = { $time } (Vietnam time)
format-unknown-between = unknown { $from }–{ $to }
format-seconds = { $n } s
format-minutes = { $n } min
format-hours = { $n } h
format-days = { $n ->
    [one] { $n } day
   *[other] { $n } days
}
