using ShmCheck.Harness.Ledgers;
using ShmCheck.Harness.Traces;
using ShmCheck.Spec;

namespace ShmCheck.Properties.Ledgers;

public sealed class RuleAliasTests
{
    private static readonly RuleAliases Renamed = RuleAliases.Parse("own.aliases",
        "# older names\nshmat.fine -> shmat.ok.done\nshmat.ok.done -> shmat.ok.attach\n");

    [Fact]
    public void A_row_that_names_a_rule_as_it_was_called_is_the_row_of_the_rule()
    {
        string now = OwnLedger.WithLines("wrong errno shmat.ok.attach EINVAL is EIDRM");
        string once = now.Replace("shmat.ok.attach", "shmat.fine", StringComparison.Ordinal);

        Ledger ledger = LedgerParser.Parse("own.ledger", once, Renamed);

        Assert.Equal(now, LedgerPrinter.Print(ledger));
        Assert.Throws<TraceFormatException>(() => LedgerParser.Parse("own.ledger", once));
    }

    [Theory]
    [InlineData("shmat.ok.attach -> shmdt.ok.detach")]
    [InlineData("a -> b\na -> c")]
    [InlineData("a -> b\nb -> a")]
    [InlineData("a -> a")]
    [InlineData("a ->")]
    [InlineData("a b")]
    public void Aliases_that_lead_nowhere_or_astray_are_refused(string text) =>
        Assert.Throws<TraceFormatException>(() => RuleAliases.Parse("own.aliases", text));

    [Fact]
    public void Every_alias_of_the_catalogue_leads_to_a_rule_or_invariant_of_it()
    {
        var names = RuleCatalogue.Rules.Select(rule => rule.Id)
            .Concat(RuleCatalogue.Invariants.Select(invariant => invariant.Id)).ToHashSet();

        Assert.All(RuleAliases.Known.OldNames,
            name => Assert.Contains(RuleAliases.Known.Resolve(name), names));
        Assert.Equal("shmat.ok.attach", Renamed.Resolve("shmat.fine"));
        Assert.Equal("shmat.einval.id", Renamed.Resolve("shmat.einval.id"));
    }
}
