from services.folkeregisteret.population import persons
def test_smoke(sign_in):
    c = sign_in("berit.bergen")
    page = c.get("/deltakere/ny")
    print(page.get_data(as_text=True)[:200])
    n = next(persons(1)).number
    page = c.submit(page, button="Neste", fill={"Fødselsnummer": n}, partial=True)
    print(page.status)
