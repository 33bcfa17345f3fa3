"""What a voter, and whoever brings ballots for voters, does with an election on a chain.

    enrolment   who the voter is in the census, and the proof of it
    direct      a ballot by the voter's own transaction
    signed      a ballot signed for someone else to bring
    bring       many signed ballots, checked and put into batches
    history     what is in the box, which of it counts and why

Each plans: it reads and checks everything, and ends in a value that nothing was spent for. Sending is
`qballot.chain.transactions`.
"""
