from emulator.engine.invoke_endpoint import Company


def test_one_after_the_other_has_no_company() -> None:
    company = Company()
    first = company.enter()
    assert not company.has_company(first)
    company.leave(first)
    second = company.enter()
    assert not company.has_company(second)


def test_both_of_two_that_overlap_have_company() -> None:
    company = Company()
    first, second = company.enter(), company.enter()
    assert company.has_company(first)
    assert company.has_company(second)


def test_company_that_has_left_still_counts() -> None:
    company = Company()
    first, second = company.enter(), company.enter()
    company.leave(first)
    assert company.has_company(second)
    company.leave(second)
    assert not company.has_company(company.enter())
