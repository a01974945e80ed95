using System.Collections.Immutable;
using ShmCheck.Faults;
using ShmCheck.Faults.Patches;

namespace ShmCheck.Properties.Faults;

/// <summary>Files of faults, and their way into sources.</summary>
public sealed class FaultParserTests
{
    private const string Header = """
        Title: t
        Re-creates: A1
        Versions: v
        Caught-by: a.rule, b.rule
        Shows: nattch
        Kind: sequential


        """;

    private const string Diff = """
        --- a/x.cs
        +++ b/x.cs
        @@ -2,3 +2,3 @@
         two
        -three
        +THREE
         four

        """;

    private static readonly ImmutableDictionary<string, string> Sources =
        ImmutableDictionary<string, string>.Empty.Add("x.cs", "one\ntwo\nthree\nfour\nfive\n");

    [Fact]
    public void A_fault_reads_as_it_was_written()
    {
        Fault fault = FaultParser.Parse("faults/f.patch", Header + Diff);

        Assert.Equal("f", fault.Id);
        Assert.Equal("a.rule b.rule", string.Join(" ", fault.CaughtBy));
        Assert.Equal("nattch", string.Join(" ", fault.Shows));
        Assert.Equal(FaultKind.Sequential, fault.Kind);
        Assert.Equal("one\ntwo\nTHREE\nfour\nfive\n", Patcher.Apply(Sources, fault)["x.cs"]);
    }

    [Fact]
    public void A_hunk_is_found_where_its_lines_have_moved()
    {
        Fault fault = FaultParser.Parse("f.patch", Header + Diff);
        string moved = "zero\nhalf\n" + Sources["x.cs"];

        string applied = Patcher.Apply(Sources.SetItem("x.cs", moved), fault)["x.cs"];

        Assert.Equal("zero\nhalf\none\ntwo\nTHREE\nfour\nfive\n", applied);
    }

    [Theory]
    [InlineData("one\ntwo\nfour\n", "its lines are not there")]
    [InlineData("two\nthree\nfour\ntwo\nthree\nfour\n", "its lines stand in 2 places")]
    public void A_hunk_that_does_not_apply_is_named(string text, string problem)
    {
        Fault fault = FaultParser.Parse("f.patch", Header + Diff);

        var thrown = Assert.Throws<FaultException>(
            () => Patcher.Apply(Sources.SetItem("x.cs", text), fault));

        Assert.Equal($"fault f: x.cs, hunk 1 (line 2): {problem}", thrown.Message);
    }

    [Theory]
    [InlineData("Kind: sequential", "Kind: odd",
        "f.patch: Kind: expected 'sequential' or 'injected', not 'odd'")]
    [InlineData("Title: t", "Note: t",
        "f.patch: expected a line 'Title: ...' before the diff")]
    [InlineData("Title: t", "Title", "f.patch:1: expected 'Name: value' or '--- a/PATH'")]
    [InlineData("Versions: v", "Title: v", "f.patch:3: expected 'Title' only once")]
    [InlineData("+++ b/x.cs", "+++ b/y.cs",
        "f.patch:9: expected '+++ b/x.cs': faults neither make nor rename files")]
    [InlineData("@@ -2,3 +2,3 @@", "@@ two @@",
        "f.patch:10: expected '@@ -LINE,COUNT +LINE,COUNT @@'")]
    [InlineData("-three", "three",
        "f.patch:13: expected a line of the hunk, which starts with ' ', '-' or '+'")]
    public void A_malformed_fault_is_refused_with_its_line(
        string old, string changed, string message)
    {
        string text = (Header + Diff).Replace(old, changed, StringComparison.Ordinal);

        var thrown = Assert.Throws<FaultException>(() => FaultParser.Parse("f.patch", text));

        Assert.Equal(message, thrown.Message);
    }

    [Fact]
    public void A_rebased_fault_has_the_present_lines_and_the_same_effect()
    {
        Fault fault = FaultCatalogue.All[0];
        string moved = FaultPrinter.Rebase(Moved(fault), fault);

        Fault again = FaultParser.Parse($"{fault.Id}.patch", moved);

        Assert.Equal(
            Patcher.Apply(FaultCatalogue.Sources, fault)[fault.Files[0].Path],
            Patcher.Apply(FaultCatalogue.Sources, again)[fault.Files[0].Path]);
        Assert.All(
            again.Files[0].Hunks,
            hunk => Assert.Equal(
                hunk.Before.First(),
                FaultCatalogue.Sources[again.Files[0].Path].Split('\n')[hunk.OldStart - 1]));
    }

    /// <summary>The headers of a fault, and its first file with line numbers that are wrong.
    /// </summary>
    private static string Moved(Fault fault) =>
        Header + $"--- a/{fault.Files[0].Path}\n+++ b/{fault.Files[0].Path}\n@@ -1 +1 @@\n-x\n+y\n";
}
