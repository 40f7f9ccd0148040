//! Arabic.

use super::{PanelTexts, SystemTexts};

pub(super) const PANEL: PanelTexts = PanelTexts {
    transcript: "المحادثة",
    bot_said: "قلنا:",
    you_said: "قلتَ:",
    skipped: "تم التخطي",
    choose: "اختر إجابة",
    email: "البريد الإلكتروني",
    email_example: "ada@example.com",
    phone: "رقم الهاتف",
    country: "البلد",
    send: "إرسال",
    skip: "تخطٍّ",
    ended: "انتهت هذه المحادثة.",
    sending: "جارٍ الإرسال…",
    unreachable: "تعذّر الوصول إلينا. إجابتك ما زالت هنا: يُرجى المحاولة مرة أخرى.",
};

pub(super) const SYSTEM: SystemTexts = SystemTexts {
    open_chat: "فتح المحادثة",
    close_chat: "إغلاق المحادثة",
    bad_email: "يُرجى إدخال بريد إلكتروني مثل ada@example.com.",
    bad_phone: "يُرجى إدخال رقم هاتف مع بلده.",
    phone_too_short: "رقم الهاتف هذا قصير جدًا.",
    phone_too_long: "رقم الهاتف هذا طويل جدًا.",
    bad_country: "يُرجى اختيار بلد من القائمة.",
    not_a_choice: "يُرجى اختيار إحدى الإجابات.",
    required: "يُرجى الإجابة هنا أولًا.",
    not_current: "تمت الإجابة عن هذا السؤال من قبل. هنا تتابع الآن.",
    failed: "لا يمكن عرض المحادثة الآن. يُرجى المحاولة مرة أخرى.",
};
