//! The texts of refusals, in every language.

use crate::ErrorCode;

/// The texts of a code, in the order of [`Language::ALL`](crate::Language::ALL).
#[expect(clippy::too_many_lines, reason = "a table: one entry a code")]
pub(crate) const fn texts_of(code: ErrorCode) -> [&'static str; 5] {
    match code {
        ErrorCode::InvalidJson => [
            "The frame is not valid JSON",
            "Кадр не является корректным JSON",
            "O quadro não é JSON válido",
            "訊框不是有效的 JSON",
            "فریم یک JSON معتبر نیست",
        ],
        ErrorCode::NotAnObject => [
            "The frame is not a JSON object",
            "Кадр не является объектом JSON",
            "O quadro não é um objeto JSON",
            "訊框不是 JSON 物件",
            "فریم یک شیء JSON نیست",
        ],
        ErrorCode::UnrecognizedFrame => [
            "The frame has none of the fields command, type and message",
            "В кадре нет ни одного из полей command, type и message",
            "O quadro não tem nenhum dos campos command, type e message",
            "訊框沒有 command、type 或 message 欄位",
            "فریم هیچ‌یک از فیلدهای command و type و message را ندارد",
        ],
        ErrorCode::UnknownKind => [
            "Unknown kind of frame",
            "Неизвестный вид кадра",
            "Tipo de quadro desconhecido",
            "未知的訊框類別",
            "نوع فریم ناشناخته است",
        ],
        ErrorCode::MissingField => {
            ["A field is missing", "Отсутствует поле", "Falta um campo", "缺少欄位", "یک فیلد وجود ندارد"]
        }
        ErrorCode::WrongType => [
            "A field has the wrong type",
            "Поле имеет неверный тип",
            "Um campo tem o tipo errado",
            "欄位的型別錯誤",
            "نوع یک فیلد نادرست است",
        ],
        ErrorCode::InvalidValue => [
            "A field has an invalid value",
            "Поле имеет недопустимое значение",
            "Um campo tem um valor inválido",
            "欄位的值無效",
            "مقدار یک فیلد نامعتبر است",
        ],
        ErrorCode::InvalidRoomName => [
            "A room name has 1 to 94 letters, digits, _, - and .",
            "Имя комнаты: от 1 до 94 букв, цифр, _, - и .",
            "O nome de uma sala tem de 1 a 94 letras, dígitos, _, - e .",
            "聊天室名稱須為 1 至 94 個字母、數字、_、- 或 .",
            "نام اتاق باید ۱ تا ۹۴ حرف، رقم، _، - یا . باشد",
        ],
        ErrorCode::InvalidUsername => [
            "This username is not valid",
            "Недопустимое имя пользователя",
            "Este nome de usuário não é válido",
            "使用者名稱無效",
            "این نام کاربری معتبر نیست",
        ],
        ErrorCode::ReservedName => [
            "This username is reserved",
            "Это имя пользователя зарезервировано",
            "Este nome de usuário é reservado",
            "此使用者名稱已被保留",
            "این نام کاربری رزرو شده است",
        ],
        ErrorCode::BlankMessage => [
            "The message cannot be empty",
            "Сообщение не может быть пустым",
            "A mensagem não pode ser vazia",
            "訊息不能為空",
            "پیام نمی‌تواند خالی باشد",
        ],
        ErrorCode::MessageTooLong => [
            "The message is longer than {limit} characters",
            "Сообщение длиннее {limit} символов",
            "A mensagem tem mais de {limit} caracteres",
            "訊息超過 {limit} 個字元",
            "پیام بیش از {limit} نویسه دارد",
        ],
        ErrorCode::ForbiddenCharacter => [
            "The message contains a character that is not allowed",
            "Сообщение содержит недопустимый символ",
            "A mensagem contém um caractere não permitido",
            "訊息含有不允許的字元",
            "پیام نویسه‌ای غیرمجاز دارد",
        ],
        ErrorCode::BinaryFrame => [
            "Binary frames are not supported",
            "Двоичные кадры не поддерживаются",
            "Quadros binários não são aceitos",
            "不支援二進位訊框",
            "فریم‌های دودویی پشتیبانی نمی‌شوند",
        ],
        ErrorCode::ListenOnly => [
            "This socket only listens",
            "Этот сокет только для приёма",
            "Este socket apenas escuta",
            "此連線僅供接收",
            "این سوکت فقط شنونده است",
        ],
        ErrorCode::UnknownRoom => [
            "There is no such room",
            "Такой комнаты нет",
            "Não existe essa sala",
            "沒有這個聊天室",
            "چنین اتاقی وجود ندارد",
        ],
        ErrorCode::UnknownUser => [
            "There is no such user",
            "Такого пользователя нет",
            "Não existe esse usuário",
            "沒有這個使用者",
            "چنین کاربری وجود ندارد",
        ],
        ErrorCode::UnknownMessage => [
            "There is no such message",
            "Такого сообщения нет",
            "Não existe essa mensagem",
            "沒有這則訊息",
            "چنین پیامی وجود ندارد",
        ],
        ErrorCode::CannotResume => [
            "The messages after the one that you had last are not all here; these are the newest",
            "Сообщения после вашего последнего сохранились не полностью; вот самые новые",
            "As mensagens depois da última que você tinha não estão todas aqui; estas são as mais novas",
            "您上次收到的訊息之後的內容已不完整；以下是最新的訊息",
            "پیام‌های پس از آخرین پیام شما کامل نیستند؛ این‌ها تازه‌ترین پیام‌ها هستند",
        ],
        ErrorCode::NotAMember => [
            "You are not a member of this room",
            "Вы не участник этой комнаты",
            "Você não é membro desta sala",
            "你不是這個聊天室的成員",
            "شما عضو این اتاق نیستید",
        ],
        ErrorCode::Unavailable => [
            "The server cannot do this now; try again",
            "Сервер сейчас не может это сделать; попробуйте ещё раз",
            "O servidor não pode fazer isso agora; tente de novo",
            "伺服器目前無法處理，請再試一次",
            "سرور اکنون نمی‌تواند این کار را انجام دهد؛ دوباره تلاش کنید",
        ],
        ErrorCode::ShuttingDown => [
            "The server is stopping; connect again",
            "Сервер останавливается; подключитесь снова",
            "O servidor está parando; conecte de novo",
            "伺服器正在停止，請重新連線",
            "سرور در حال توقف است؛ دوباره وصل شوید",
        ],
        ErrorCode::Other => ["Error", "Ошибка", "Erro", "錯誤", "خطا"],
    }
}
