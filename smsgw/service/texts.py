"""Everything the service says to customers, in both scripts.

The company pays for every part: 160 characters in Latin, 70 in Cyrillic (153 and 67 where there
are more parts). The Latin texts are the Cyrillic ones in the official transliteration, all of it
in GSM 03.38. `{name}`, `{phone}`, `{email}`, `{web}` and `{contact}`, the company's, may stand in
every text. `{contact}` is the company's name and two ways to reach it, or what there is of these.
"""

from typing import Final, NamedTuple


class Text(NamedTuple):
    """One thing to say. Of what is filled in, `needs` must stand in it and `may` can."""

    latin: str
    cyrillic: str
    needs: tuple[str, ...] = ()
    may: tuple[str, ...] = ()


TEXTS: Final[dict[str, Text]] = {
    # A bill check: a line for each customer number, and what stands below them.
    "debt": Text(
        "Zadalzhenie po {number}: {amount}, srok {due}.",
        "Задължение по {number}: {amount}, срок {due}.",
        needs=("number", "amount", "due"),
    ),
    "debt_without_due": Text(
        "Zadalzhenie po {number}: {amount}.",
        "Задължение по {number}: {amount}.",
        needs=("number", "amount"),
    ),
    "overdue": Text(
        "Prosrocheno zadalzhenie po {number}: {amount}, srok {due}.",
        "Просрочено задължение по {number}: {amount}, срок {due}.",
        needs=("number", "amount", "due"),
    ),
    "partly_overdue": Text(
        "Po {number}: {amount}, srok {due}, prosrocheni {overdue}.",
        "По {number}: {amount}, срок {due}, просрочени {overdue}.",
        needs=("number", "amount", "due", "overdue"),
    ),
    "nothing_due": Text(
        "Nyamate zadalzhenia po {number}.",
        "Нямате задължения по {number}.",
        needs=("number",),
    ),
    "credit": Text(
        "Nadvnesena suma: {credit}.",
        "Надвнесена сума: {credit}.",
        needs=("credit",),
    ),
    "no_data": Text(
        "V momenta nyamame danni za {number}.",
        "В момента нямаме данни за {number}.",
        needs=("number",),
    ),
    "pending": Text(
        "Registratsiyata na {number} oshte se obrabotva.",
        "Регистрацията на {number} още се обработва.",
        needs=("number",),
    ),
    "more": Text(
        "Oshte {count}: pratete napr. smetka {number}.",
        "Още {count}: пратете напр. сметка {number}.",
        needs=("count", "number"),
    ),
    "as_of": Text("Danni kam {day}.", "Данни към {day}.", needs=("day",)),
    # Not registered, and how to be.
    "not_registered": Text("Nyamate registratsia.", "Нямате регистрация."),
    "not_registered_for": Text(
        "Nyamate registratsia za {number}.",
        "Нямате регистрация за {number}.",
        needs=("number",),
    ),
    "send_your_number": Text(
        "Pratete klientskia si nomer (12 tsifri).",
        "Пратете клиентския си номер (12 цифри).",
    ),
    "send_that_number": Text(
        "Registratsia: pratete samo nomera.",
        "Регистрация: пратете само номера.",
    ),
    "register_elsewhere": Text(
        "Registratsia: onlayn, v tsentar za klienti ili ofis na EasyPay. {contact}",
        "Регистрация: онлайн, в център за клиенти или офис на EasyPay. {contact}",
    ),
    # A registration: a line for each customer number, and what stands below them.
    "registered": Text(
        "{number} e registriran.",
        "{number} е регистриран.",
        needs=("number",),
    ),
    "accepted": Text(
        "Priehme zayavka za {number}. Shte poluchite SMS s rezultata.",
        "Приехме заявка за {number}. Ще получите SMS с резултата.",
        needs=("number",),
    ),
    "already_registered": Text(
        "{number} veche e registriran.",
        "{number} вече е регистриран.",
        needs=("number",),
    ),
    "too_many_numbers": Text(
        "{number}: otkaz, maks. broy nomera: {limit}.",
        "{number}: отказ, макс. брой номера: {limit}.",
        needs=("number",),
        may=("limit",),
    ),
    "too_many_phones": Text(
        "{number}: otkaz, maks. broy telefoni: {limit}.",
        "{number}: отказ, макс. брой телефони: {limit}.",
        needs=("number",),
        may=("limit",),
    ),
    "too_many_unknown": Text(
        "{number}: otkaz, tvarde mnogo nepoznati nomera za dnes.",
        "{number}: отказ, твърде много непознати номера за днес.",
        needs=("number",),
    ),
    "code_missing": Text(
        "{number}: dobavete koda sled nomera.",
        "{number}: добавете кода след номера.",
        needs=("number",),
    ),
    "code_wrong": Text(
        "{number}: greshen kod.",
        "{number}: грешен код.",
        needs=("number",),
    ),
    "code_locked": Text(
        "{number}: tvarde mnogo greshni kodove, opitayte utre.",
        "{number}: твърде много грешни кодове, опитайте утре.",
        needs=("number",),
    ),
    "code_on_bill": Text(
        "Kodat (6 znaka) e vav fakturata.",
        "Кодът (6 знака) е във фактурата.",
    ),
    "not_by_message": Text(
        "{number} ne se registrira sas SMS.",
        "{number} не се регистрира със SMS.",
        needs=("number",),
    ),
    "looks_like_phone": Text(
        "{number} prilicha na telefon.",
        "{number} прилича на телефон.",
        needs=("number",),
    ),
    "number_on_bill": Text(
        "Klientskiyat nomer e vav fakturata.",
        "Клиентският номер е във фактурата.",
    ),
    "carrier_change": Text(
        "Pri smyana na operatora ni uvedomete. {contact}",
        "При смяна на оператора ни уведомете. {contact}",
    ),
    # A pending registration became active.
    "activated": Text(
        "Registratsiyata na {number} e aktivna.",
        "Регистрацията на {number} е активна.",
        needs=("number",),
    ),
    # A pending registration was rejected.
    "rejected": Text(
        "Registratsiyata na {number} e otkazana: nyama takav klientski nomer. {contact}",
        "Регистрацията на {number} е отказана: няма такъв клиентски номер. {contact}",
        needs=("number",),
    ),
    "rejected_by_code": Text(
        "Registratsiyata na {number} e otkazana: kodat ne e potvarden. {contact}",
        "Регистрацията на {number} е отказана: кодът не е потвърден. {contact}",
        needs=("number",),
    ),
    # To the phones that a customer number has already.
    "further_phone": Text(
        "Oshte edin telefon (...{digits}) e registriran za {number}. {contact}",
        "Още един телефон (...{digits}) е регистриран за {number}. {contact}",
        needs=("number", "digits"),
    ),
    # Notices.
    "notice_overdue": Text(
        "Prosrocheno zadalzhenie po {number}: {amount}, srok {due}. {contact}",
        "Просрочено задължение по {number}: {amount}, срок {due}. {contact}",
        needs=("number", "amount", "due"),
    ),
    "notice_disconnection": Text(
        "Dalzhite {amount} po {number}. Pri neplashtane tokat spira sled {cut_off}. {contact}",
        "Дължите {amount} по {number}. При неплащане токът спира след {cut_off}. {contact}",
        needs=("number", "amount", "cut_off"),
    ),
    # Stop.
    "stopped": Text(
        "Spryahme uslugata za {numbers}. {contact}",
        "Спряхме услугата за {numbers}. {contact}",
        needs=("numbers",),
    ),
    "stopped_more": Text("i oshte {count}", "и още {count}", needs=("count",)),
    "nothing_to_stop": Text(
        "Nyamate registratsia za spirane.",
        "Нямате регистрация за спиране.",
    ),
    "nothing_to_stop_for": Text(
        "Nyamate registratsia za {number}.",
        "Нямате регистрация за {number}.",
        needs=("number",),
    ),
    # Help.
    "help": Text(
        "Pratete: smetka - za zadalzhenieto; klientskia si nomer (12 tsifri) - za registratsia;"
        " stop - za otkaz. {contact}",
        "Пратете: сметка - за задължението; клиентския си номер (12 цифри) - за регистрация;"
        " стоп - за отказ. {contact}",
    ),
    "help_without_registration": Text(
        "Pratete: smetka - za zadalzhenieto; stop - za otkaz. {contact}",
        "Пратете: сметка - за задължението; стоп - за отказ. {contact}",
    ),
    # Not understood.
    "unknown": Text(
        "Ne razbrahme. Pratete smetka, klientski nomer, stop ili pomosht.",
        "Не разбрахме. Пратете сметка, клиентски номер, стоп или помощ.",
    ),
    "unknown_without_registration": Text(
        "Ne razbrahme. Pratete smetka, stop ili pomosht.",
        "Не разбрахме. Пратете сметка, стоп или помощ.",
    ),
    "hint_wrong_length": Text(
        "Klientskiyat nomer ima 12 tsifri, prateni sa {digits}.",
        "Клиентският номер има 12 цифри, пратени са {digits}.",
        may=("digits",),
    ),
    "hint_in_pieces": Text(
        "Pratete 12-te tsifri na nomera slyato, bez drugi chisla.",
        "Пратете 12-те цифри на номера слято, без други числа.",
    ),
    "hint_phone_number": Text(
        "Tova prilicha na telefon. Pratete klientskia si nomer (12 tsifri).",
        "Това прилича на телефон. Пратете клиентския си номер (12 цифри).",
    ),
    "hint_account_number": Text(
        "Nomerat e slyat s drugi znatsi. Pratete samo 12-te mu tsifri.",
        "Номерът е слят с други знаци. Пратете само 12-те му цифри.",
    ),
    "hint_unseparated": Text(
        "Ne lichi kade svarshva nomer. Razdelete nomerata sas zapetaya.",
        "Не личи къде свършва номер. Разделете номерата със запетая.",
    ),
    "hint_too_many_numbers": Text(
        "Pratete nay-mnogo 5 nomera v edno saobshtenie.",
        "Пратете най-много 5 номера в едно съобщение.",
    ),
    "hint_mixed_digits": Text(
        "Pratete samo klientski nomera, bez drugi chisla.",
        "Пратете само клиентски номера, без други числа.",
    ),
    "hint_long_label": Text(
        "Pratete klientskia si nomer bez tekst predi nego.",
        "Пратете клиентския си номер без текст преди него.",
    ),
    "hint_more_than_word": Text(
        "Pratete samo dumata, bez chisla: smetka ili stop.",
        "Пратете само думата, без числа: сметка или стоп.",
    ),
    "hint_keyword_not_first": Text(
        "Zapochnete saobshtenieto s dumata smetka, stop ili pomosht.",
        "Започнете съобщението с думата сметка, стоп или помощ.",
    ),
    # What {contact} becomes, without and with the company's name.
    "contact": Text("Kontakt: {reach}", "Контакт: {reach}", needs=("reach",)),
    "contact_named": Text("{name}: {reach}", "{name}: {reach}", needs=("name", "reach")),
}
