# Khóa mới cho máy xã.

help-hub-replace-keys = Thay khóa của máy xã (khi đang dừng) và ghi ngay một bản sao lưu.
help-keys-backup = Tệp sao lưu mới, có khóa mới.
help-keys-root = Tệp khóa gốc của xã, nếu không để trong thư mục.
cli-keys-replaced = ✓ Đã thay khóa, lịch sử khóa số { $number }. Điện thoại tự nhận khi liên lạc lần tới.
