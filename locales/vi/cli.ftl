# Lời của dòng lệnh.

cli-patrol-started = Bắt đầu đi tuần lúc { $time }.
cli-patrol-finished = Đã kết thúc ca tuần: { $check-ins } lần báo có mặt, { $distance }.
cli-checked-in = ✓ Đã báo có mặt lúc { $time }.
cli-report-saved = ✓ Đã lưu: { $kind }. Mã { $id }.
cli-sync-up-to-date = ✓✓ Tất cả đã tới xã.
cli-sync-partial = Còn { $unsent } việc chờ gửi. Chạy lại để gửi tiếp.
cli-joined = Đã vào tổ của { $place }. Bốn từ đối chiếu: { $words }
