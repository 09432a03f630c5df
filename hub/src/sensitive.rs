//! Words about a person's people, faith or illness in what officers write (RIGHTS.md ): whoever writes them is
//! asked whether they are needed, and says why when they stay. Nothing is blocked, nothing is stored by such a word.

use yenban_protocol::text::fold;

/// Words and groups of words, in lower case; each is looked for between spaces. A list of what may hurt, not of who
/// people are: it leaves out names that are everyday words in other senses.
const WORDS: &[&str] = &[
    // People.
    "dân tộc",
    "người mông",
    "người hmông",
    "người h'mông",
    "người mèo",
    "người dao",
    "người mán",
    "người thái",
    "người mường",
    "người tày",
    "người nùng",
    "người khơ mú",
    "người kháng",
    "người la ha",
    "người xinh mun",
    "người hà nhì",
    "người lự",
    "người lào",
    "người kinh",
    "người hoa",
    "người khmer",
    "người chăm",
    "người ê đê",
    "người gia rai",
    "người thiểu số",
    "dân mông",
    "dân mèo",
    "dân dao",
    "dân thiểu số",
    "sắc tộc",
    "ethnic",
    "ethnicity",
    "minority",
    "hmong",
    "kinh people",
    "race",
    // Faith.
    "tôn giáo",
    "tin lành",
    "công giáo",
    "thiên chúa giáo",
    "phật giáo",
    "hồi giáo",
    "cao đài",
    "hòa hảo",
    "tà đạo",
    "đạo lạ",
    "theo đạo",
    "bỏ đạo",
    "truyền đạo",
    "giáo dân",
    "religion",
    "religious",
    "protestant",
    "catholic",
    "christian",
    "muslim",
    "buddhist",
    // Illness.
    "bệnh",
    "hiv",
    "aids",
    "tâm thần",
    "động kinh",
    "lao phổi",
    "viêm gan",
    "khuyết tật",
    "nghiện",
    "mang thai",
    "phá thai",
    "illness",
    "disease",
    "mental",
    "epilepsy",
    "hepatitis",
    "disabled",
    "addict",
    "pregnant",
];

/// Words that only look like one of the list.
const INNOCENT: &[&str] = &["bệnh viện", "trạm xá"];

/// Lower case, one space between words and at both ends, no marks of writing.
fn plain(text: &str) -> String {
    let letters = |c: char| if c.is_alphanumeric() || c == '\'' { c } else { ' ' };
    let lower: String = text.to_lowercase().chars().map(letters).collect();
    format!(" {} ", lower.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The first word about people, faith or illness in a text, as it stands in the list.
pub fn found(text: &str) -> Option<&'static str> {
    let composed = yenban_protocol::text::compare_key(text);
    let mut typed = plain(&composed);
    // Whoever types without marks types all of it without: then the list is read without marks too.
    let bare = composed.is_ascii();
    for innocent in INNOCENT {
        let word = if bare { fold(innocent) } else { (*innocent).to_owned() };
        typed = typed.replace(&format!(" {word} "), "  ");
    }
    WORDS.iter().copied().find(|word| {
        let word = if bare { fold(word) } else { (*word).to_owned() };
        typed.contains(&format!(" {word} "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_about_people_faith_and_illness_are_noticed() {
        for text in [
            "Hai người Mông đi xe máy",
            "Bà này theo đạo Tin Lành.",
            "Anh ấy mắc BỆNH, cần thuốc",
            "nguoi Mong o ban tren",
            "A Hmong family",
            "Ông ấy bị tâm thần; gọi trạm y tế",
            "Nhà có người\nnghiện",
        ] {
            assert!(found(text).is_some(), "{text}");
        }
    }

    #[test]
    fn everyday_words_are_left_alone() {
        for text in [
            "Mai xuống bản, mang theo đèn",
            "Chuyển lên bệnh viện huyện",
            "Cắt thái rau ở nhà văn hóa",
            "Con dao để trên bàn",
            "Gà màu gì?",
            "Tổ Piềng Vế tới trước 22 giờ",
            "They embraced",
            "",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
