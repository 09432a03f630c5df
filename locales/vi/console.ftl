# Lời của trang công an xã.

console-inbox = Hộp việc
console-alerts = Cảnh báo
console-patrols = Tuần tra
console-map = Bản đồ
console-empty = Chưa có việc mới. Bản yên.
console-purpose = Xem để làm gì?
console-read-logged = Lượt xem này được ghi lại.

# Khung của mọi trang.
console-people = Người và máy
console-nav = Các phần
console-skip = Tới nội dung
console-leave = Rời trang
console-next-page = 50 dòng tiếp
console-commune = Xã
console-time-unknown = Chưa rõ giờ
console-name-unknown = Chưa có tên
console-member-number = Tổ viên số { $n }

# Cửa vào và các trang một câu.
console-door = Cửa vào
console-come-in = Trang này dành cho công an xã. Chưa có tài khoản thì xin trưởng công an xã một liên kết.
console-link-closed = Liên kết đã dùng hoặc đã hết hạn. Xin liên kết mới.
console-too-many-tries = Thử quá nhiều lần. Chờ một phút rồi thử lại.
console-left = Đã rời trang
console-left-more = Đã rời trang ở máy này.
console-form-old = Trang đã mở quá lâu hoặc không phải từ đây. Mở lại trang rồi gửi lại; chưa có gì thay đổi.
console-not-found = Không có trang này
console-nothing-here = Không có gì ở địa chỉ này.
console-not-done = Chưa làm được
console-not-taken = Yêu cầu chưa đúng dạng. Chưa có gì thay đổi.
console-hub-trouble = Máy xã chưa trả lời được. Dữ liệu vẫn giữ; thử lại sau ít phút.

# Hộp việc.
console-search = Tìm trong việc đã báo (không cần dấu)
console-search-go = Tìm
console-search-all = Xem tất cả
console-found = Việc có “{ $query }”.
console-found-nothing = Không có việc nào khớp.
console-amended = { $n } lần bổ sung
console-branch = Nhật ký của máy này rẽ hai nhánh; cần xem lại với người giữ máy.
console-no-photos = không có ảnh
console-photos-here = { $n }/{ $all } ảnh nguyên vẹn
console-photos-missing = Thiếu { $n } ảnh, còn ở máy { $phone }
console-photos-unnamed = Điện thoại { $phone } báo trước { $all } ảnh, { $n } ảnh chưa thấy ghi: chưa chụp xong, chưa gửi, hoặc máy tắt giữa chừng. Hỏi người báo; người báo thêm ảnh được bằng Bổ sung.
console-photos-altered = ‖ { $n }/{ $all } ảnh đã bị thay đổi, cần xem
console-now = Đang diễn ra
console-alerts-live = Cảnh báo còn hiệu lực
console-alerts-none = Không có cảnh báo.
console-patrols-none-now = Chưa có ca nào đang đi.

# Một vụ việc.
console-purpose-duty = Trực ban tiếp nhận
console-purpose-verify = Xác minh vụ việc
console-purpose-help = Cử người giúp
console-purpose-other = Mục đích khác
console-purpose-needed = Chọn hoặc ghi mục đích rồi mở.
console-open = Mở nội dung
console-advice = An toàn trước.
console-facts = Sự việc
console-facts-none = Chưa có lời kể.
console-opinions = Suy nghĩ, chưa phải sự việc
console-basis-unstated = Chưa nói rõ thấy hay nghe
console-author = Người báo:
console-place = Vị trí
console-photo-number = Ảnh { $n }
console-photo-verified = ✓✓ Nguyên vẹn, đã tới xã
console-photo-expected = Chưa tới, còn ở máy
console-photo-partial = Đang tới, chưa đủ
console-photo-missing = ‖ Thiếu: đã tới rồi mất ở máy xã
console-photo-altered = ‖ Đã bị thay đổi
console-photo-erased = Đã hủy: hết hạn giữ hoặc theo quyết định
console-photo-erased-at = Đã hủy lúc { $at }: hết hạn giữ hoặc theo quyết định
console-fingerprint = Dấu vân của ảnh (SHA-256)

# Tuần tra.
console-patrol-running = Đang đi tuần
console-patrol-paused = Tạm nghỉ
console-patrol-finished = Đã kết thúc
console-patrols-none = Chưa có ca tuần nào.
console-patrols-caption = Ca tuần mới nhất ở trên.
console-check-ins = { $n } lần báo có mặt
console-col-patrol = Ca tuần
console-col-state = Tình trạng
console-col-leader = Người ghi
console-col-distance = Quãng đường
console-col-last = Lần cuối
console-col-number = Số
console-col-time = Giờ
console-col-note = Ghi chú
console-check-ins-title = Các lần báo có mặt
console-check-ins-caption = Theo thứ tự đã ghi. Chỗ không rõ vị trí có dòng riêng.
console-check-ins-cut = Ở đây có { $n } trong { $all } lần; tệp xuất ra có đủ.
console-patrol-incidents = Việc báo trong ca
console-patrol-calm = Không có việc. Bản yên.
console-gaps-none = Không có khoảng trống.
console-see-list = Xem danh sách
console-sketch-start = đầu
console-sketch-end = cuối
console-sketch-north = B
console-sketch-caption = Chấm: báo có mặt. Vòng đứt: sai số. Hai vạch chặn: chỗ không rõ vị trí, không nối đường.
console-sketch-of = Hình vẽ vị trí: { $what }, { $place }
console-sketch-patrol = Hình vẽ ca tuần: { $n } lần báo có mặt, { $distance }, { $gaps } chỗ không rõ vị trí. Danh sách ở dưới.

# Cảnh báo.
console-alerts-over = Đã hết hạn hoặc đã rút
console-alert-live = Còn hiệu lực
console-alert-over = Đã hết hạn
console-alert-cancelled = Đã rút
console-alert-times = Gửi { $sent } · đến { $until }
console-alert-two = { $first } và { $second }
console-whole-commune = Toàn xã
console-alert-for = Gửi cho (người)
console-alert-new = Soạn cảnh báo
console-alert-headline = Việc gì (một dòng)
console-alert-instruction = Phải làm gì
console-alert-description = Kể thêm (nếu cần)
console-alert-severity = Mức
console-alert-hamlets = Gửi tới bản
console-alert-second = cần một cán bộ khác đồng ý rồi mới phát.
console-hamlets-none = Chưa có bản nào. Nhập danh sách bản ở máy xã trước.
console-alert-life = Hiệu lực trong
console-alert-drill-more = máy không hú còi, hai đầu ghi rõ là diễn tập
console-alert-look = Xem trước
console-alert-preview = Xem trước khi gửi
console-alert-preview-more = Máy của tổ viên sẽ hiện như sau. Chưa gửi.
console-alert-until = Đến
console-alert-for-n = Gửi cho { $n } người trong các bản này.
console-alert-send = Gửi cảnh báo
console-alert-again = Soạn lại
console-alert-needs-headline = Ghi việc gì, trong một dòng ngắn.
console-alert-needs-instruction = Ghi phải làm gì.
console-alert-too-long = Phần kể thêm quá dài.
console-alert-needs-severity = Chọn mức.
console-alert-needs-hamlet = Chọn ít nhất một bản, hoặc cả xã.
console-alert-needs-life = Chọn thời gian hiệu lực.

# Người và máy.
console-search-people = Tìm tên người hoặc tên bản (không cần dấu)
console-people-count = { $n } người, { $hamlets } bản.
console-people-none = Chưa có ai trong danh sách.
console-people-caption = Theo bản, tổ, tên.
console-col-name = Họ tên
console-col-role = Vai trò
console-col-hamlet = Bản
console-col-group = Tổ
console-col-phones = Máy
console-odd-name = (chữ lạ trong tên)
console-role-officer = Cán bộ công an xã
console-role-chief = Trưởng công an xã
console-role-auditor = Người giám sát
console-phones = Máy
console-phones-none = Chưa có máy nào vào tổ.
console-phones-caption = Máy mới vào ở trên. Máy mất: mở máy đó, bấm Máy mất.
console-col-phone = Máy
console-col-entries = Đã ghi
console-phone-active = Đang dùng
console-phone-expired = Giấy máy hết hạn
console-phone-revoked = Đã thu quyền
console-phone-lost = Đã báo mất

# Tệp bảng của xã (hub import). Mỗi câu nói về một dòng của tệp.
import-empty = Tệp không có dòng nào để nhận.
import-too-large = Tệp lớn hơn { $most }.
import-too-many = Tệp có hơn { $most } dòng; chia thành nhiều tệp.
import-not-utf8 = Chữ không phải UTF-8; lưu lại tệp ở dạng "CSV UTF-8".
import-not-a-table = Đây không phải tệp CSV.
import-no-hamlet-column = Thiếu cột "bản" (hoặc thôn, xóm, hamlet) ở dòng đầu.
import-column-twice = Cột "{ $column }" trùng ý với một cột trước.
import-too-many-cells = Nhiều ô hơn dòng đầu; xem lại dấu ngăn cột.
import-no-hamlet = Thiếu tên bản.
import-name-too-long = Tên dài hơn { $most } chữ.
import-hidden-characters = Tên "{ $name }" có ký tự ẩn; gõ lại tên.
import-half-a-place = Vị trí cần cả vĩ độ và kinh độ.
import-bad-latitude = Vĩ độ "{ $value }" không phải số từ -90 đến 90.
import-bad-longitude = Kinh độ "{ $value }" không phải số từ -180 đến 180.
import-centre-differs = Vị trí của bản khác với dòng { $line }.
import-member-twice = Người này đã có ở dòng { $line }; nếu là hai người, ghi thêm chữ để phân biệt.
import-unknown-role = Vai trò "{ $role }" chưa dùng được ở đây; ghi "tổ trưởng", "tổ phó" hoặc "tổ viên".
import-role-without-name = Có vai trò mà thiếu họ tên.
import-more-bad-rows = Còn { $n } dòng nữa cần sửa.
console-photos-erased = đã hủy { $n }/{ $all } ảnh

# Vào trang, tài khoản.
console-sign-in = Vào trang
console-login = Tên vào trang
console-password = Mật khẩu
console-code = Mã 6 số
console-code-more = Mã trên ứng dụng tạo mã; mất điện thoại thì gõ một mã dự phòng.
console-passkey-sign-in-more = Máy này có khóa vào trang? Gõ tên ở trên rồi bấm:
console-passkey-sign-in = Vào bằng khóa của máy
console-passkey-not = Chưa dùng được khóa. Vào bằng mật khẩu và mã 6 số.
console-proofs-wrong = Tên, mật khẩu hoặc mã chưa đúng. Mỗi mã chỉ dùng một lần; chờ mã tiếp theo.
console-wait = Thử sai nhiều lần. Chờ { $wait } rồi thử lại.
console-join = Mở tài khoản
console-join-for = Tài khoản của
console-join-login = Tên và mật khẩu
console-join-code = Mã 6 số trên điện thoại
console-join-code-more = Mở một ứng dụng tạo mã (như FreeOTP, Google Authenticator) và quét hình này.
console-join-qr = Mã QR cho ứng dụng tạo mã
console-join-secret = Không quét được thì gõ:
console-join-code-now = Mã đang hiện trên ứng dụng
console-join-open = Mở tài khoản
console-password-more = Ít nhất 10 ký tự. Vài từ không liền nghĩa dễ nhớ và khó đoán; đừng dùng tên mình.
console-password-again = Gõ lại mật khẩu
console-passwords-differ = Hai lần gõ mật khẩu chưa giống nhau.
console-password-short = Mật khẩu ngắn quá: ít nhất 10 ký tự.
console-password-long = Mật khẩu dài quá: nhiều nhất 128 ký tự.
console-password-guessable = Mật khẩu này dễ đoán. Chọn vài từ không liền nghĩa, không có tên mình hay tên xã.
console-login-unfit = Tên vào trang cần từ 2 đến 60 ký tự.
console-login-taken = Tên vào trang này có người dùng rồi. Chọn tên khác.
console-code-wrong = Mã 6 số chưa đúng. Xem giờ điện thoại có đúng không, rồi gõ mã đang hiện.
console-recovery = Mã dự phòng
console-recovery-more = Chép hoặc in mười mã này và cất nơi an toàn. Mỗi mã thay mã 6 số được một lần. Trang này không hiện lại.
console-recovery-kept = Đã cất mã, vào trang
console-recovery-left = { $n ->
    [0] Không còn mã dự phòng nào.
   *[other] Còn { $n } mã dự phòng.
 }
console-recovery-make = Tạo mười mã mới
console-account = Tài khoản của tôi
console-passkeys = Khóa của máy
console-passkeys-more = Khóa nằm trong máy tính hay điện thoại, mở bằng vân tay hoặc PIN của máy. Không ai lừa lấy được như mật khẩu.
console-passkeys-need-name = Chỉ dùng được khi máy xã có tên miền và chứng chỉ tin cậy; hỏi người trông máy xã.
console-passkey-label = Tên của khóa, như “Máy trực ban”
console-passkey-add = Thêm khóa của máy này
console-passkey-remove = Bỏ khóa
console-passkey-used = dùng lần cuối
console-password-change = Đổi mật khẩu
console-password-old = Mật khẩu đang dùng
console-password-new = Mật khẩu mới
console-old-password-wrong = Mật khẩu đang dùng chưa đúng.
console-password-changed = Đã đổi mật khẩu. Các nơi khác phải vào lại.
console-places = Đang vào trang ở
console-place-here = Nơi này
console-place-seen = dùng lần cuối
console-place-end = Cho rời trang
console-how-password = mật khẩu và mã
console-how-passkey = khóa của máy
console-how-recovery = mã dự phòng
console-how-link = liên kết của máy xã
console-how-join = lúc mở tài khoản
console-operator = Người trông máy xã

# Cán bộ và tài khoản.
console-accounts = Cán bộ
console-accounts-caption = Ai được vào trang này, xem được bản nào.
console-col-reach = Phạm vi
console-account-none = Chưa mở
console-account-open = Đang mở
console-account-closed = Đã đóng
console-account-new = Thêm cán bộ
console-account-make = Thêm và tạo liên kết
console-account-needs-name = Ghi tên cán bộ.
console-account-name-taken = Đã có cán bộ tên này. Ghi thêm để phân biệt, như “Hà Văn Sơn (1985)”.
console-reach-more = Không chọn bản nào là cả xã.
console-reach-set = Đổi phạm vi
console-join-link = Đưa tận tay liên kết này. Ai mở trước người đó vào được.
console-join-link-more = Dùng một lần, đến
console-join-again = Mất điện thoại và cả mã dự phòng? Liên kết mới thay mọi thứ cũ: mật khẩu, mã, khóa.
console-join-link-make = Tạo liên kết mở tài khoản
console-account-close = Đóng tài khoản
console-account-close-more = Người này không vào được nữa, ở mọi nơi, ngay bây giờ. Việc đã làm vẫn còn ghi.

# Số liệu và sổ ghi lượt xem.
console-figures = Số liệu
console-figures-more = Chỉ đếm, không có nội dung và không có tên người.
console-figures-field = Từ các bản
console-figures-evidence = Ảnh hiện trường và nhật ký
console-figure-incidents = Vụ việc
console-figure-patrols = Ca tuần
console-figure-check-ins = Lần báo có mặt
console-figure-devices = Điện thoại
console-figure-revoked = Điện thoại đã khóa
console-figure-verified = Ảnh nguyên vẹn
console-figure-expected = Ảnh chưa tới
console-figure-missing = Ảnh thiếu hoặc bị thay đổi
console-figure-erased = Ảnh đã hủy
console-figure-quarantine = Để riêng
console-figure-forked = Nhật ký rẽ nhánh
console-figure-alerts = Cảnh báo
console-figure-answers = Lượt trả lời cảnh báo
console-reads = Lượt xem
console-reads-of = Việc người này đã làm
console-reads-none = Chưa có lượt nào.
console-reads-who = Của ai (đúng tên)
console-reads-caption = Ai đã xem hoặc làm gì, lúc nào, để làm gì.
console-col-when = Lúc
console-col-who = Ai
console-col-what = Đã làm
console-col-subject = Về
console-col-purpose = Để


# Việc cần người thứ hai.
console-second = Chờ người thứ hai
console-second-ask = Gửi cho người thứ hai xem
console-second-asks = { $by } muốn phát cảnh báo này cho cả xã. Cần một cán bộ khác đồng ý trước { $until }.
console-second-open = { $by } chờ người thứ hai, đến { $until }
console-second-agree = Đồng ý và phát
console-second-disagree = Không đồng ý
console-second-take-back = Rút lại
console-second-own = Người đề nghị không tự đồng ý được: cần một cán bộ khác.
console-second-agreed = Đã đồng ý và đã phát.
console-second-not = Không phát: đã rút lại hoặc không được đồng ý.
console-second-late = Đã quá hạn chờ. Soạn lại nếu vẫn cần.
