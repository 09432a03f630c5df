# Khuôn của giờ, khoảng cách, dung lượng. Số đã được viết sẵn theo tiếng Việt.

format-about = khoảng { $what }
format-between = { $from }–{ $to }
format-vietnam-time = { $time } (giờ VN)
format-unknown-between = không rõ { $from }–{ $to }
format-seconds = { $n } giây
format-minutes = { $n } phút
format-hours = { $n } giờ
format-days = { $n } ngày
