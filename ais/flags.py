"""The flag that an MMSI and a call sign claim: maritime identification digits and call sign series.

The first three digits of a ship's MMSI (MID) and the first letters of its call sign are given out to countries by the
ITU (Table of Maritime Identification Digits; Radio Regulations, Appendix 42, Table of International Call Sign Series).
Countries are ISO 3166 codes of two letters. A ship that changes its flag gets both anew, so that they agree; where one
was forgotten or invented, they do not. Overseas territories use series of their country as well, so that the flags of
one country are taken together (`REGISTERS`); Hong Kong, Macao and the Cook Islands have series of their own.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

_MIDS = """
AD 202;AE 470 471;AF 401;AG 304 305;AI 301;AL 201;AM 216;AO 603;AR 701;AS 559;AT 203;AU 503;AW 307;AZ 423;BA 478;BB 314;
BD 405;BE 205;BF 633;BG 207;BH 408;BI 609;BJ 610;BM 310;BN 508;BO 720;BQ 306;BR 710;BS 308 309 311;BT 410;BW 611;BY 206;
BZ 312;CA 316;CC 523;CD 676;CF 612;CG 615;CH 269;CI 619;CK 518;CL 725;CM 613;CN 412 413 414;CO 730;CR 321;CU 323;CV 617;
CX 516;CY 209 210 212;CZ 270;DE 211 218;DJ 621;DK 219 220;DM 325;DO 327;DZ 605;EC 735;EE 276;EG 622;ER 625;ES 224 225;
ET 624;FI 230;FJ 520;FK 740;FM 510;FO 231;FR 226 227 228;GA 626;GB 232 233 234 235;GD 330;GE 213;GF 745;GH 627;GI 236;
GL 331;GM 629;GN 632;GP 329;GQ 631;GR 237 239 240 241;GT 332;GW 630;GY 750;HK 477;HN 334;HR 238;HT 336;HU 243;ID 525;
IE 250;IL 428;IN 419;IQ 425;IR 422;IS 251;IT 247;JM 339;JO 438;JP 431 432;KE 634;KG 451;KH 514 515;KI 529;KM 616 620;
KN 341;KP 445;KR 440 441;KW 447;KY 319;KZ 436;LA 531;LB 450;LC 343;LI 252;LK 417;LR 636 637;LS 644;LT 277;LU 253;LV 275;
LY 642;MA 242;MC 254;MD 214;ME 262;MG 647;MH 538;MK 274;ML 649;MM 506;MN 457;MO 453;MP 536;MQ 347;MR 654;MS 348;
MT 215 229 248 249 256;MU 645;MV 455;MW 655;MX 345;MY 533;MZ 650;NA 659;NC 540;NE 656;NG 657;NI 350;NL 244 245 246;
NO 257 258 259;NP 459;NR 544;NU 542;NZ 512;OM 461;PA 351 352 353 354 355 356 357 370 371 372 373 374;PE 760;PF 546;
PG 553;PH 548;PK 463;PL 261;PM 361;PN 555;PR 358;PS 443;PT 204 255 263;PW 511;PY 755;QA 466;RE 660;RO 264;RS 279;RU 273;
RW 661;SA 403;SB 557;SC 664;SD 662;SE 265 266;SG 563 564 565 566;SH 608 665;SI 278;SK 267;SL 667;SM 268;SN 663;SO 666;
SR 765;SS 638;ST 668;SV 359;SY 468;SZ 669;TC 364;TD 670;TF 501 607 618 635;TG 671;TH 567;TJ 472;TL 550;TM 434;TN 672;
TO 570;TR 271;TT 362;TV 572;TW 416;TZ 674 677;UA 272;UG 675;US 303 338 366 367 368 369;UY 770;UZ 437;VA 208;
VC 375 376 377;VE 775;VG 378;VI 379;VN 574;VU 576 577;WF 578;WS 561;YE 473 475;ZA 601;ZM 678;ZW 679
"""
_SERIES = """
AD C3;AE A6;AF T6 YA;AG V2;AL ZA;AM EK;AO D2-D3;AR AY-AZ L2-L9 LO-LW;AT OE;AU AX VH-VN VZ;AW P4;AZ 4J-4K;BA E7 T9;BB 8P;
BD S2-S3;BE ON-OT;BF XT;BG LZ;BH A9;BI 9U;BJ TY;BN V8;BO CP;BQ PJ;BR PP-PY ZV-ZZ;BS C6;BT A5;BW 8O A2;BY EU-EW;BZ V3;
CA CF-CK CY-CZ VA-VG VO VX-VY XJ-XO;CD 9O-9T;CF TL;CG TN;CH HB HE;CI TU;CK E5;CL 3G CA-CE XQ-XR;CM TJ;CN 3H-3U B XS;
CO 5J-5K HJ-HK;CR TE TI;CU CL-CM CO T4;CV D4;CY 5B C4 H2 P3;CZ OK-OL;DE DA-DR Y2-Y9;DJ J2;DK 5P-5Q OU-OZ XP;DM J7;DO HI;
DZ 7R 7T-7Y;EC HC-HD;EE ES;EG 6A-6B SU;ER E3;ES AM-AO EA-EH;ET 9E-9F ET;FI OF-OJ;FM V6;FR F HW-HY TH TK TM TO-TQ TV-TX;
GA TR;GB 2 G M VP-VQ VS ZB-ZJ ZN-ZO ZQ;GD J3;GE 4L;GH 9G;GM C5;GN 3X;GQ 3C;GR J4 SV-SZ;GT TD TG;GW J5;GY 8R;HK VR;
HN HQ-HR;HR 9A;HT 4V HH;HU HA HG;ID 7A-7I 8A-8I JZ PK-PO YB-YH;IE EI-EJ;IL 4X 4Z;IN 8T-8Y AT-AW VT-VW;IQ HN YI;
IR 9B-9D EP-EQ;IS TF;IT I;JM 6Y;JO JY;JP 7J-7N 8J-8N JA-JS;KE 5Y-5Z;KG EX;KH XU;KI T3;KM D6;KN V4;KP HM P5-P9;
KR 6K-6N D7-D9 DS-DT HL;KW 9K;KZ UN-UQ;LA XW;LB OD;LC J6;LK 4P-4S;LR 5L-5M 6Z A8 D5 EL;LS 7P;LT LY;LU LX;LV YL;LY 5A;
MA 5C-5G CN;MC 3A;MD ER;ME 4O;MG 5R-5S 6X;MH V7;MK Z3;ML TZ;MM XY-XZ;MN JT-JV;MO XX;MR 5T;MT 9H;MU 3B;MV 8Q;MW 7Q;
MX 4A-4C 6D-6J XA-XI;MY 9M 9W;MZ C8-C9;NA V5;NE 5U;NG 5N-5O;NI H6-H7 HT YN;NL PA-PI;NO 3Y JW-JX LA-LN;NP 9N;NR C2;
NZ ZK-ZM E6;OM A4;PA 3E-3F H3 H8-H9 HO-HP;PE 4T OA-OC;PG P2;PH 4D-4I DU-DZ;PK 6P-6S AP-AS;PL 3Z HF SN-SR;PS E4;PT CQ-CU;
PW T8;PY ZP;QA A7;RO YO-YR;RS YT-YU;RU R UA-UI;RW 9X;SA 7Z 8Z HZ;SB H4;SC S7;SD 6T-6U ST;SE 7S 8S SA-SM;SG 9V S6;SI S5;
SK OM;SL 9L;SM T7;SN 6V-6W;SO 6O T5;SR PZ;SS Z8;ST S9;SV HU YS;SY 6C YK;TD TT;TG 5V;TH E2 HS;TJ EY;TL 4W;TM EZ;TN 3V TS;
TO A3;TR TA-TC YM;TT 9Y-9Z;TV T2;TZ 5H-5I;UA EM-EO UR-UZ;UG 5X;US AA-AL K N W;UY CV-CX;UZ UJ-UM;VA HV;VC J8;VE 4M YV-YY;
VN 3W XV;VU YJ;WS 5W;YE 7O;ZA S8 ZR-ZU;ZM 9I-9J;ZW Z2
"""
# SS is Egypt's to SSM and Sudan's from SSN on, 3D Eswatini's to 3DM and Fiji's from 3DN on: left out, as are the series
# of organisations (4U, 4Y, C7). AX, an island of Finland, has no MID of its own.

REGISTERS = {
    "GB": "AI BM FK GG GI IM JE KY MS PN SH TC VG", "FR": "BL GF GP MF MQ NC PF PM RE TF WF YT", "NL": "AW BQ CW SX",
    "DK": "FO GL", "US": "AS GU MP PR VI", "AU": "CC CX NF", "NZ": "NU TK", "NO": "SJ", "CN": "TW", "FI": "AX",
}  # fmt: skip
"""Countries with those territories whose ships use the series of the country."""

_CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@cache
def flags() -> tuple[str, ...]:
    """The registers, by the codes that the other functions give: countries with their territories."""
    return tuple(sorted({_register(line.split()[0]) for line in (*_lines(_MIDS), *_lines(_SERIES))}))


def _lines(table: str) -> list[str]:
    return table.replace("\n", "").split(";")


@cache
def _register(country: str) -> str:
    return next((owner for owner, places in REGISTERS.items() if country in places.split()), country)


@cache
def _mid_table() -> NDArray[np.int16]:
    table = np.full(1000, -1, np.int16)
    for line in _lines(_MIDS):
        country, *numbers = line.split()
        table[[int(number) for number in numbers]] = flags().index(_register(country))
    return table


@cache
def _series_table() -> NDArray[np.int16]:
    """By the first two characters; what stands behind them does not matter."""
    table = np.full((256, 256), -1, np.int16)
    for line in _lines(_SERIES):
        country, *series = line.split()
        for span in series:
            first, last = span.split("-") if "-" in span else (span, span)
            seconds = _CHARACTERS[_CHARACTERS.index(first[1]) : _CHARACTERS.index(last[1]) + 1] if first[1:] else ""
            for second in seconds or _CHARACTERS:
                table[ord(first[0]), ord(second)] = flags().index(_register(country))
    return table


def flag_code(country: str) -> int:
    """The code of a country in `flags()`, -1 for one that gives out neither MMSIs nor call signs.

    >>> flag_code("TG") == int(flag_of_mmsi([671999101])[0]), flag_code("XX")
    (True, -1)
    """
    register = _register(country)
    return flags().index(register) if register in flags() else -1


def flag_of_mmsi(mmsi: ArrayLike) -> NDArray[np.int16]:
    """The flag that each ship's MMSI claims.

    Parameters
    ----------
    mmsi : (n,) integers of nine digits that begin with 2 to 7 (see `ais.mmsi`)

    Returns
    -------
    (n,) int16, places in `flags()`; -1 where the first three digits are given to no country, or it is no ship's number

    >>> [flags()[code] if code >= 0 else "" for code in flag_of_mmsi([671999101, 477000001, 310000001, 299000001])]
    ['TG', 'HK', 'GB', '']
    """
    numbers = np.asarray(mmsi, np.int64)
    ship = (numbers >= 200_000_000) & (numbers < 800_000_000)
    return np.where(ship, _mid_table()[np.where(ship, numbers // 1_000_000, 0)], -1).astype(np.int16)


def flag_of_callsign(callsign: NDArray[np.bytes_]) -> NDArray[np.int16]:
    """The flag that each call sign claims.

    Parameters
    ----------
    callsign : (n,) bytes, capitals and digits

    Returns
    -------
    (n,) int16, places in `flags()`; -1 where the series is not known, or fewer than four characters stand there

    >>> signs = np.array([b"5VAB2", b"VRAA7", b"X00001", b""])
    >>> [flags()[code] if code >= 0 else "" for code in flag_of_callsign(signs)]
    ['TG', 'HK', '', '']
    """
    texts = np.ascontiguousarray(callsign, f"S{max(4, callsign.dtype.itemsize)}")
    letters = texts.view(np.uint8).reshape(texts.size, -1) if texts.size else np.zeros((0, 4), np.uint8)
    return np.where(letters[:, 3] != 0, _series_table()[letters[:, 0], letters[:, 1]], -1).astype(np.int16)
