# Lời nói của máy. Số là thứ tự của tệp tiếng; không đổi số đã dùng.

prompt-1 = Đã lưu trong máy.
prompt-2 = Tất cả đã tới xã.
prompt-3 = Không có sóng. Máy sẽ gửi sau.
prompt-4 = Bắt đầu đi tuần. Đi cẩn thận.
prompt-5 = Đã báo có mặt.
prompt-6 = Đã kết thúc ca tuần.
prompt-7 = Chưa có vị trí. Cứ báo bình thường.
prompt-8 = Công an xã cảnh báo. Mở xem ngay.
prompt-9 = Diễn tập. Đây là diễn tập.
prompt-10 = Đã lưu việc khẩn. Hãy giữ an toàn.
prompt-11 = Máy hết chỗ cho ảnh. Hãy báo bằng chữ.
prompt-12 = Máy sắp hết pin.
