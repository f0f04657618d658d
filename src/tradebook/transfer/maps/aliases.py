"""What people call the columns of a list of customers, in six languages and a dozen systems."""

import re

from tradebook.text import fold

ADDRESS_FIELDS = ("street_line_1", "street_line_2", "locality", "state", "postal_code", "country")

# Folded: without capitals, accents and signs. First the columns of a customer, then those of an address; what
# begins with a hyphen is no column, but becomes part of one.
_OWN = {
    "number": """
        number, cust #, account #, client #, no, nr, nummer, numero, customer number, customer no,
        customer nr, customer id, customer code, customer #, cust no, cust nr, cust id, account number,
        account no, account id, account code, acct no, client number, client no, client id, client code,
        id, code, reference, ref, card id, kundennummer, kunden nr, kd nr, kunde nr, debitor,
        debitorennummer, debitoren nr, konto, kontonummer, numero client, numero de client, no client,
        n client, code client, id client, num client, numero de cliente, numero cliente, codigo cliente,
        codigo de cliente, codigo, id cliente, n cliente, klantnummer, klantnr, klantcode, debiteurnummer,
        debiteurennummer, debiteurnr, codice cliente, codice, cod cliente, entity id, contact id,
        record id""",
    "name": """
        name, company, company name, customer, customer name, account name, account, business name,
        business, trading name, organisation, organization, organisation name, organization name,
        client name, client, contact name, display name, legal name, full name, customer full name, firm,
        firma, firmenname, firmenbezeichnung, name 1, firma 1, unternehmen, kunde, kundenname, bezeichnung,
        nom, nom du client, nom client, raison sociale, societe, entreprise, denomination, nombre,
        nombre completo, nombre fiscal, nombre comercial, razon social, empresa, compania, cliente,
        nombre del cliente, nombre cliente, naam, bedrijf, bedrijfsnaam, klant, klantnaam, organisatie,
        nome, azienda, ragione sociale, societa, denominazione, nome cliente, nom du tiers,
        organization 1 name""",
    "email": """
        email, emails, e mails, email addresses, mail, email address, mail address, e mail adresse,
        mailadresse, adresse e mail, adresse mail, courriel, correo, correo electronico, email 1,
        e mailadres, mailadres, indirizzo email, posta elettronica, primary email, main email,
        billing email, invoice email, contact email, customer email, e mail 1 value""",
    "phone": """
        phone, phones, phone number, phone no, phone 1, phone numbers, telephone, telephone number, tel,
        tel no, tel nr, primary phone, main phone, work phone, business phone, office phone, telefon,
        telefon 1, telefonnummer, telefon nr, festnetz, numero de telephone, telephone fixe, telefono,
        telefono 1, numero de telefono, fijo, telefoon, telefoonnummer, numero di telefono, phone 1 value""",
    "-mobile": """
        mobile, mobile phone, mobile number, mobile no, cell, cell phone, mobil, mobiltelefon, mobilnummer,
        handy, handynummer, telephone portable, telephone mobile, portable, movil, telefono movil, celular,
        mobiel, mobiele telefoon, gsm, cellulare, telefono cellulare, phone 2, telefon 2""",
    "-fax": "fax, fax number, fax no, telefax, faxnummer, fax nr, telecopie, numero de fax",
    "-tax": """
        tax, tax number, tax id, tax no, vat, vat number, vat id, vat no, abn, company number, ust idnr,
        ust id, umsatzsteuer id, steuernummer, numero de tva, n tva, tva, tva intracommunautaire, siret,
        siren, nif, cif, nif cif, btw nummer, btw, kvk, kvk nummer, partita iva, p iva, codice fiscale""",
    "url": """
        url, website, websites, web, web page, web address, website url, homepage, internet, www, webseite,
        webseiten, site, site web,
        site internet, sitio web, pagina web, sito, sito web, domain""",
    "note": """
        note, notes, comment, comments, remark, remarks, memo, about, customer note, notiz, notizen,
        bemerkung, bemerkungen, anmerkung, anmerkungen, kommentar, kommentare, remarque, remarques,
        commentaire, commentaires, nota, notas, observaciones, comentario, comentarios, opmerking,
        opmerkingen, notitie, notities, osservazioni, annotazioni, description""",
    "credit_limit": """
        credit limit, limit, credit line, kreditlimit, kreditlinie, kreditrahmen, limite, limite de credit,
        plafond de credit, encours autorise, plafond, limite de credito, limite credito, riesgo,
        kredietlimiet, limiet, limite di credito, fido""",
    "credit_limit_currency": """
        currency, currency code, curr, waehrung, wahrung, wkz, devise, monnaie, moneda, divisa, valuta""",
    "type": """
        type, customer type, account type, client type, category, customer category, segment,
        customer group, group, industry, class, kundentyp, kundenart, kundengruppe, kategorie, gruppe,
        branche, typ, art, categorie, type de client, groupe, secteur, tipo, tipo de cliente, categoria,
        grupo, sector, klanttype, soort, groep, klantgroep, tipo cliente, gruppo, settore, kind""",
    "price_groups": """
        price group, price groups, pricing group, pricing groups, price list, price level, tags, labels,
        preisgruppe, preisgruppen, preisliste, groupe de prix, tarif, liste de prix, etiquettes,
        grupo de precios, tarifa, etiquetas, lista de precios, prijsgroep, prijslijst, listino,
        listino prezzi, etichette""",
    "payment_term": """
        payment term, payment terms, terms, terms of payment, zahlungsbedingung, zahlungsbedingungen,
        zahlungsziel, zahlungskondition, condition de paiement, conditions de paiement,
        conditions de reglement, condiciones de pago, forma de pago, betalingstermijn, betalingsconditie,
        betaalconditie, betalingsvoorwaarde, condizioni di pagamento, termini di pagamento,
        customer payment terms""",
    "shipping_term": """
        shipping term, shipping terms, incoterm, incoterms, delivery terms, lieferbedingung,
        lieferbedingungen, conditions de livraison, condiciones de entrega, leveringsvoorwaarde,
        condizioni di consegna""",
    "carrier": """
        carrier, ship via, shipper, spediteur, versanddienst, versandart, transporteur, transportista,
        vervoerder, corriere, vettore""",
    "sales_rep_name": """
        sales rep, sales rep name, salesperson, assigned user, assigned to, account manager, account owner,
        owner, company owner, rep,
        agent, vertreter, verkaeufer, verkaufer, betreuer, kundenbetreuer, aussendienst, commercial,
        representant, vendedor, comercial, agente, agente comercial, verkoper, vertegenwoordiger,
        venditore""",
    "parent_number": "parent number, parent customer number, parent no",
    "created_at": """
        created at, created, created on, create date, creation date, date created, created date,
        date added, added, date add, date joined, joined, customer since, since, registered, registered on,
        registration,
        registration date, date registered, sign up, signup date, join date, angelegt, angelegt am,
        anlagedatum, erstellt, erstellt am, erstelldatum, erfasst, erfasst am, kunde seit, seit,
        date de creation, cree le, date d inscription, client depuis, fecha de creacion, fecha de alta,
        fecha alta, alta, cliente desde, aangemaakt, aangemaakt op, aanmaakdatum, klant sinds,
        data creazione, data di creazione, creato il, cliente dal""",
    "status": "status, account status",
    "accepts_invoice_emails": "accepts invoice emails, invoice by email, rechnung per e mail, email invoices",
    "-first_name": """
        first name, first, given name, forename, vorname, prenom, nombre de pila, voornaam,
        contact first name, fname""",
    "-last_name": """
        last name, last, surname, family name, nachname, familienname, zuname, nom de famille, apellido,
        apellidos, achternaam, cognome, contact last name, lname""",
}
_ADDRESS = {
    "name": """
        name, company, company name, full name, recipient, addressee, attention, attention to, attn,
        contact person, contact, ansprechpartner, ansprechpartnerin, kontakt, kontaktperson, empfaenger,
        empfanger, zu haenden, zu handen, personne de contact, interlocuteur, destinataire,
        persona de contacto, contacto, destinatario, contactpersoon, ter attentie van, referente,
        persona di riferimento""",
    "street_line_1": """
        street, street 1, street line 1, street address, address, address 1, address line 1, addr, addr 1,
        line 1, street and number, strasse, str, strasse 1, strasse nr, strasse hausnummer,
        strasse und hausnummer, strasse und nummer, anschrift, adresse, adresse 1, adresszeile 1, rue,
        adresse ligne 1, direccion, direccion 1, calle, domicilio, adres, adres 1, straat,
        straat en huisnummer, straatnaam, adresregel 1, indirizzo, indirizzo 1, via""",
    "-house_number": """
        house number, house no, hausnummer, haus nr, huisnummer, huisnr, numero civico, civico""",
    "street_line_2": """
        street 2, street line 2, address 2, address line 2, line 2, addr 2, suite, apartment, unit,
        strasse 2, adresszusatz, zusatz, adresszeile 2, adresse 2, complement, complement d adresse,
        complement adresse, direccion 2, adres 2, toevoeging, adresregel 2, indirizzo 2, presso""",
    "locality": """
        city, town, locality, place, suburb, ort, stadt, wohnort, ortschaft, ville, commune, localite,
        ciudad, poblacion, localidad, municipio, plaats, woonplaats, stad, gemeente, citta, comune,
        localita""",
    "state": """
        state, province, region, county, state province, state region, province code, state code,
        province state, bundesland, kanton, departement, provincia, comunidad autonoma, estado, comunidad,
        provincie, regio, regione, prov""",
    "postal_code": """
        zip, zip code, postal code, post code, zip postal code, postal, plz, postleitzahl, code postal, cp,
        codigo postal, cod postal, post code plaats, cap, codice postale""",
    "country": """
        country, country code, country region, country id, country name, nation, land, staat, laendercode,
        landercode, laenderkennzeichen, landerkennzeichen, landcode, pays, code pays, pais, codigo pais,
        paese, nazione, stato""",
    "phone": "phone, phone number, telephone, tel, telefon, telefono, telefoon",
    "email": "email, e mail, email address",
}
_BILL = """
        bill to, bill, billing, billing to, invoice, invoicing, invoice to, rechnung, rechnungs,
        rechnungsadresse, rechnungsanschrift, facturation, adresse de facturation, de facturation,
        facturacion, de facturacion, factuur, factuuradres, facturatie, fatturazione, di fatturazione, po"""
_SHIP = """
        ship to, ship, shipping, shipping to, delivery, deliver to, delivery to, liefer, lieferung,
        lieferadresse, lieferanschrift, versand, versandadresse, livraison, adresse de livraison,
        de livraison, envio, de envio, entrega, de entrega, levering, aflever, afleveradres, bezorg,
        bezorgadres, leveradres, verzend, verzendadres, spedizione, di spedizione, consegna, di consegna,
        sa"""
_NOISE = """
        address, addr, adresse, anschrift, direccion, adres, indirizzo, default, primary, main, customer,
        company, kunde, kunden, client, cliente, klant, contact, business, work, 1, 01, your"""

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=[0-9])")
_ASIDE = re.compile(r"[(\[][^()\[\]]*[)\]]\s*$")
_SIGNS = re.compile(r"[^a-z0-9#]+")


def heading_words(heading: str) -> str:
    """Reduce a heading to its words: "Billing-Adresse: PLZ" and "billingAdressePlz" are one."""
    return " ".join(_SIGNS.sub(" ", fold(_CAMEL.sub(" ", heading))).split())


def _table(columns: dict[str, str]) -> dict[str, str]:
    return {_compact(name): column for column, names in columns.items() for name in names.split(",")}


def _compact(words: str) -> str:
    """Leave the blanks out: zip code and zipcode are one, as are USt-IdNr and ust id nr."""
    return "".join(words.split())


def _list(names: str) -> list[str]:
    # The longest first, so that `bill to` is not read as `bill`, with `to` left over.
    return sorted((" ".join(name.split()) for name in names.split(",")), key=len, reverse=True)


_OWN_WORDS = _table(_OWN)
_ADDRESS_WORDS = _table(_ADDRESS)
_SIDES = {"bill_to": _list(_BILL), "ship_to": _list(_SHIP)}
_NOISE_WORDS = frozenset(_list(_NOISE))


def column_of_heading(heading: str) -> str | None:
    """Return the column that a heading means, or else what stands before its brackets: Ville (s.town)."""
    found = column_of_words(heading_words(heading))
    return found or column_of_words(heading_words(_ASIDE.sub("", heading)))


def column_of_words(words: str) -> str | None:
    """Return the column that a heading means; with a hyphen before it, it is part of one: `-first_name`."""
    for part, names in _SIDES.items():
        field = _after(words, names)
        if field is not None and (found := _find(field, _ADDRESS_WORDS)):
            return _joined(part, found)
    if found := _OWN_WORDS.get(_compact(words)):
        return found
    if found := _ADDRESS_WORDS.get(_compact(words)):
        return _joined("bill_to", found)
    found = _find(words, {**_ADDRESS_WORDS, **_OWN_WORDS})
    if found is None:
        return None
    return found if found in _OWN else _joined("bill_to", found)


def _joined(part: str, field: str) -> str:
    return f"-{part}.{field[1:]}" if field.startswith("-") else f"{part}.{field}"


def _after(words: str, names: list[str]) -> str | None:
    """Return what is left of a heading without the words for an address; None if there are none."""
    for name in names:
        if words.startswith(f"{name} "):
            return words.removeprefix(f"{name} ")
        if words.endswith(f" {name}"):
            return words.removesuffix(f" {name}")
        # German and Dutch write it as one word: Lieferort, Rechnungsstrasse.
        if len(name) > 5 and words.startswith(name) and len(words) > len(name):
            return words.removeprefix(name)
        if words == name:
            return "address"
    return None


def _find(words: str, table: dict[str, str]) -> str | None:
    """Look words up; then without what only says whose they are: Customer Phone, Default Address City."""
    rest = words.split()
    while True:
        if found := table.get("".join(rest)):
            return found
        if len(rest) < 2:
            return None
        if rest[0] in _NOISE_WORDS:
            rest = rest[1:]
        elif rest[-1] in _NOISE_WORDS:
            rest = rest[:-1]
        else:
            return None
