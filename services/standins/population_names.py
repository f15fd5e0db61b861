"""Names for the synthetic population: first and last names by part of the world, to be combined.

All are in normal case, so that writing them in capitals and reading them back gives the same name.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Names:
    """First names of women and men, and last names, of one part of the world."""

    women: tuple[str, ...]
    men: tuple[str, ...]
    last: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BirthCountry:
    """A country of birth: its code in Folkeregisteret, its names, and the last year in which it existed."""

    country: str
    names: Names
    born_until: int = 9999


def _names(women: str, men: str, last: str) -> Names:
    return Names(tuple(women.split(", ")), tuple(men.split(", ")), tuple(last.split(", ")))


ARABIC = _names(
    "Amal, Rania, Nour, Hiba, Samar, Lina, Farah, Rasha, Dalal, Maysa, Hanan, Rim, Souad, Abir, Na'ima, Fatima Zahra",
    "Omar, Khaled, Bashar, Tarek, Samir, Yousef, Nabil, Hassan, Ziad, Anas",
    "Al-Hassan, El Masri, Haddad, Al-Khatib, Darwish, Shaheen, Al Omari, Kanaan, Zaytoun, Barazi, Abu "
    "Zeid, El Amrani, Ben Youssef, Sabbagh, Al-Jaberi, Qasim",
)
HORN = _names(
    "Selam, Hiwet, Mebrat, Tsehay, Almaz, Rahwa, Senait, Yordanos, Freweyni, Letebrhan, Saba, Winta, Meron, Bethlehem",
    "Tesfay, Yonas, Filmon, Dawit, Abraham, Mikael, Robel, Henok, Kidane",
    "Tesfamariam, Gebremedhin, Haile, Woldu, Berhane, Kifle, Tekle, Ghebreab, Habtemariam, Asfaha, "
    "Weldemichael, Mehari, Gebreselassie, Abebe, Tadesse",
)
SOMALI = _names(
    "Hodan, Ayaan, Sahra, Ifrah, Nasra, Fowsia, Deqa, Khadra, Sagal, Maryan, Ubah, Filsan, Zamzam, Hamdi, Idil",
    "Abdirahman, Mohamed, Liban, Guled, Cabdi, Yusuf, Mahad, Warsame",
    "Warsame, Abdullahi, Jama, Farah, Elmi, Hersi, Aden, Osman, Sheikh Nur, Ali Mohamud, Dirie, Gedi, "
    "Yusuf Ahmed, Hassan Abdi, Nuur",
)
PERSIAN = _names(
    "Shirin, Parisa, Zahra, Laila, Maryam, Golnaz, Soraya, Fereshteh, Mina, Nasrin, Sahar, Roya, Bibi Gul, Arezo",
    "Reza, Farid, Jawad, Hamid, Mustafa, Navid, Omid, Ali Reza",
    "Hosseini, Ahmadi, Rahimi, Karimi, Noorzai, Haidari, Mohammadi, Sultani, Rezaei, Alizadeh, "
    "Jafari, Amiri, Popalzai, Moradi",
)
SLAVIC = _names(
    "Oksana, Iryna, Natalia, Olena, Mar'yana, Kateryna, Svitlana, Halyna, Lyudmyla, Tetiana, Zoriana, "
    "Anastasia, Sof'ya",
    "Oleksandr, Andrii, Mykola, Vasyl, Dmytro, Serhii, Bohdan",
    "Kovalenko, Shevchuk, Bondarenko, Melnyk, Tkachenko, Hrytsenko, Solov'yova, Petrenko, Lysenko, "
    "Marchuk, Ivanova, Wójcik, Kowalska, Śliwińska",
)
TURKISH = _names(
    "Ayşe, Zeynep, Elif, Gülsüm, Emine, Şebnem, Hatice, Özlem, Berivan, Dilan, Çiğdem, İpek, Songül, Rojin",
    "Mehmet, Emre, Hüseyin, Serkan, Baran, Çetin, Ömer",
    "Yüksel Demir, Öztürk, Şahin, Aydemir, Çelik, Güneş, Koç, Doğan, Korkmaz, Aslan, Bozkurt, Tekin",
)
THAI = _names(
    "Somchai Lek, Kanya, Malee, Siriporn, Nong, Wanida, Pornthip, Suda, Chanida, Ratana, Duangjai, Busaba, Orathai",
    "Anan, Somsak, Prasert, Kittisak, Niran",
    "Saetang, Wongsawat, Chaiyasit, Srisuk-Hansen, Rattanakorn, Boonmee, Phromma, Thongchai-Olsen, "
    "Suwannarat, Kaewkla, Inthara, Jaidee-Aasen",
)
SOUTH_ASIAN = _names(
    "Ayesha, Saima, Nadia, Rukhsana, Shabana, Mehwish, Priya, Kavitha, Tharini, Sumathi, Bushra, Farzana, Noreen",
    "Imran, Bilal, Asif, Ravi, Suresh, Kumaran, Faisal",
    "Malik, Chaudhry, Butt, Qureshi, Akhtar, Sivakumar, Nadarajah, Thevarajah, D'Souza, Begum, Iqbal, "
    "Hussain Shah, Selvarajah",
)
VIETNAMESE = _names(
    "Thi Lan, Thi Hoa, Thu Trang, Thi Kim Anh, Bich Ngoc, My Linh, Phuong, Thanh Thuy, Lan Huong",
    "Van Minh, Quoc Bao, Duc, Hoang Nam",
    "Nguyen, Tran, Le, Pham, Huynh, Vo, Dang, Bui, Do, Ngo",
)
FILIPINO = _names(
    "Maricel, Jocelyn, Rosalinda, Maria Luz, Analyn, Cristina, Lourdes, Evangeline, Mary Grace, Josefina",
    "Jose, Ramon, Rodel, Ernesto",
    "de la Cruz, Santos, Reyes, de los Reyes, Bautista, dos Santos, Villanueva, Macaraeg, da Silva, "
    "Peñaflor, Garcia-Johansen, Magsaysay",
)
AFRICAN = _names(
    "Béatrice, Espérance, Mwajuma, Furaha, Aminata, Fatoumata, Chantal, Neema, Awa, Binta, Marie-Claire, Adèle",
    "Jean-Pierre, Emmanuel, Lamin, Ousman, Dieudonné, Patrice",
    "Mukendi, N'Diaye, Ilunga, Jallow, Ceesay, Kabongo, Mbuyi, Okafor, Nsengiyumva, Diallo, N'Guessan, Traoré, Kamara",
)
BURMESE = _names(
    "Naw Paw, Hla Hla, Mi Mi Khin, Thandar, Ei Phyu, Nilar, Say Wah, Khin Than",
    "Saw Htoo, Zaw Min, Ko Ko, Thura",
    "Htoo, Win, Aung, Moo Paw, Lwin, Say Eh, Kyaw, Thein",
)
BALKAN = _names(
    "Vjollca, Arta, Drita, Shqipe, Mirjeta, Emina, Jasmina, Amra, Đurđica, Željka, Ćamila, Blerta, Lule",
    "Agron, Besnik, Dino, Emir, Željko, Ilir",
    "Krasniqi, Gashi, Berisha, Hodžić, Đokić, Bešić, Hasanović, Šabić, Ymeri, Morina, Čaušević",
)
EUROPEAN = _names(
    "Sinéad, Zoë, Anaïs, Joana, Ana Luíza, Liesbeth, Noémie, Renée, Chloé",
    "Seán, Tomás, Pieter, André",
    "O'Connor, van der Berg, de Vries, McKenzie, dos Santos, Müller, van Dijk, D'Angelo, Núñez, von Hagen",
)
NORWEGIAN = _names(
    "Aase, Åse, Øydis, Ærna, Anne-Lise, Ingebjørg, Åshild, Solbjørg, Kjersti, Aagot, Østrid, Ragnhild, Ida Sæbjørg",
    "Åsmund, Øyvind, Aage, Bjørn-Erik, Håkon, Sæmund",
    "Aasen, Åsheim, Østby, Ærfugl, Bjørkøy, Sørbø, Haugland, Aarø, Øverås, Kvåle, Strømsæther, Nygård-Øien, Lie",
)
SAMI = _names(
    "Áile, Biret, Elle Máret, Sárá, Rávdná, Mággá, Ánne Risten, Ŋielle, Čáve, Inga-Áile, Láilá, Márjá",
    "Áilu, Ánte, Máhtte, Jovnna, Niillas, Čearru",
    "Hætta, Gaup, Bávlos, Sáráhkká, Čorru, Šiella, Áhčči, Guođoheaddji, Ruoššu, Boažu, Muoŧká, Ŋuorjju, "
    "Đoarrá, Ŧeammá, Žuorda, Eira-Čuonja, Máhtebeaŋŋi",
)

# Repeated entries weigh more: roughly the origins of women in the programme.
_WEIGHTED = (
    (18, BirthCountry("SYR", ARABIC)),
    (8, BirthCountry("IRQ", ARABIC)),
    (4, BirthCountry("MAR", ARABIC)),
    (3, BirthCountry("SDN", ARABIC)),
    (2, BirthCountry("XXX", ARABIC)),
    (11, BirthCountry("ERI", HORN)),
    (5, BirthCountry("ETH", HORN)),
    (14, BirthCountry("SOM", SOMALI)),
    (10, BirthCountry("AFG", PERSIAN)),
    (4, BirthCountry("IRN", PERSIAN)),
    (6, BirthCountry("UKR", SLAVIC)),
    (2, BirthCountry("RUS", SLAVIC)),
    (2, BirthCountry("POL", SLAVIC)),
    (1, BirthCountry("SUN", SLAVIC, born_until=1991)),
    (6, BirthCountry("TUR", TURKISH)),
    (6, BirthCountry("THA", THAI)),
    (6, BirthCountry("PAK", SOUTH_ASIAN)),
    (3, BirthCountry("LKA", SOUTH_ASIAN)),
    (3, BirthCountry("VNM", VIETNAMESE)),
    (3, BirthCountry("PHL", FILIPINO)),
    (3, BirthCountry("COD", AFRICAN)),
    (2, BirthCountry("GMB", AFRICAN)),
    (1, BirthCountry("XUK", AFRICAN)),
    (3, BirthCountry("MMR", BURMESE)),
    (3, BirthCountry("XXK", BALKAN)),
    (1, BirthCountry("BIH", BALKAN)),
    (1, BirthCountry("YUG", BALKAN, born_until=1991)),
    (1, BirthCountry("BRA", EUROPEAN)),
    (1, BirthCountry("NLD", EUROPEAN)),
)
FOREIGN = tuple(origin for weight, origin in _WEIGHTED for _ in range(weight))
AT_HOME = (BirthCountry("NOR", NORWEGIAN), BirthCountry("NOR", NORWEGIAN), BirthCountry("NOR", SAMI))
