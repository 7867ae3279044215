from bot.desk import learning
from bot.dialogue.texts import texts
from bot.records.sessions import Database
from bot.records.states import ProposalState
from bot.records.tables import Proposal, Wording

from .examples import NOW, handed_over, outbox


async def test_a_publication_cut_short_waits_for_an_admin_again(db: Database) -> None:
    async with db.begin() as tx:
        desk, ticket = await handed_over(tx)
        proposal = Proposal(ticket_id=ticket.id, course="ai", topic="fees", language="en", card_id=ticket.card_id)
        tx.add(proposal)
        await tx.flush()
        tx.add(Wording(proposal_id=proposal.id, language="en", question="How much is it?", answer="Ask the office."))
        assert await learning.approve(tx, proposal, NOW)
        await learning.interrupted(tx, {"proposal": proposal.id}, desk=desk)
        card, said = (await outbox(tx))[-2:]
        assert proposal.state is ProposalState.DRAFT
        assert texts("en").button_publish in str(card.payload["reply_markup"])
        assert said.payload["text"] == texts("en").learn_interrupted
        before = len(await outbox(tx))
        await learning.interrupted(tx, {"proposal": proposal.id}, desk=desk)
        assert len(await outbox(tx)) == before
