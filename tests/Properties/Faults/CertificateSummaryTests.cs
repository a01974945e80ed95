using System.Globalization;
using ShmCheck.Abi;
using ShmCheck.Faults.Hunting;
using ShmCheck.Faults.Patches;
using ShmCheck.Harness.Shrinking;
using ShmCheck.Harness.Traces;
using ShmCheck.Properties.Support;

namespace ShmCheck.Properties.Faults;

/// <summary>How short the recorded traces are known to be.</summary>
public sealed class CertificateSummaryTests
{
    private const string Line = "# certificate: ";
    private const double ShareInTiny = 0.95;

    private static readonly CertifiedTrace[] Recorded =
        [.. FaultCatalogue.All.Select(fault => Read(fault.Id))];

    [Fact]
    public void Nearly_all_recorded_traces_within_the_tiny_scope_are_shortest()
    {
        CertificateSummary sum = CertificateSummary.Of(Recorded);

        Assert.True(sum.InTiny >= 5, $"{sum}");
        Assert.True(sum.ShortestInTiny >= ShareInTiny * sum.InTiny, $"{sum}");
        Assert.Equal(Recorded.Length, sum.Shortest + sum.OneMinimal + sum.Uncertified);
    }

    [Fact]
    public void What_is_not_shortest_counts_by_the_length_searched()
    {
        CertifiedTrace shortest = Read("child-inherits-rss");
        CertifiedTrace other = shortest with
        {
            Certificate = Certificate.OneMinimal,
            LowerBound = shortest.Calls.Length - 1,
        };
        CertifiedTrace injected = shortest with
        {
            Calls = shortest.Calls.SetItem(0, shortest.Calls[0] with
            {
                Injection = new Injection(AllocationKind.Id, 1),
            }),
        };

        Assert.Equal(
            new CertificateSummary(2, 1, 0, other.LowerBound - 1, 2, 2, 1),
            CertificateSummary.Of([shortest, other, injected]));
    }

    private static CertifiedTrace Read(string fault)
    {
        string file = Path.Combine(
            Repository.Root, FaultRecorder.TraceFolder, $"{fault}.shm");
        Trace trace = TraceParser.ParseFile(file);
        string[] words = File.ReadLines(file).Single(line => line.StartsWith(Line))[Line.Length..]
            .Split([',', ' '], StringSplitOptions.RemoveEmptyEntries);
        Certificate certificate = Enum.GetValues<Certificate>()
            .Single(c => CertificateText.Of(c) == words[0]);
        int bound = certificate == Certificate.Shortest ? trace.Calls.Count()
            : words.Length > 3 ? int.Parse(words[3], CultureInfo.InvariantCulture) : 0;
        return new CertifiedTrace(trace.Machine, [.. trace.Calls], certificate, bound);
    }
}
