using System.Collections.Immutable;
using ShmCheck.Faults.Building;
using ShmCheck.Faults.Patches;
using ShmCheck.Harness.Campaigns;
using ShmCheck.Harness.Checking;

namespace ShmCheck.Faults.Hunting;

/// <summary>Hunts faults: plants each in the implementation and checks what comes out.</summary>
public static class FaultHunt
{
    /// <summary>Hunts one fault.</summary>
    /// <exception cref="FaultException">It cannot be planted.</exception>
    /// <exception cref="OperationCanceledException">Interrupted.</exception>
    public static HuntResult Hunt(
        Fault fault, HuntOptions options, CancellationToken interrupted = default)
    {
        using FaultySystem system = FaultySystem.Of(fault);
        CampaignReport[] reports =
        [
            .. Enumerable.Range(0, options.Campaigns).Select(i => Campaign.Run(
                system, Plan(fault, options, i) with { MostShrunk = 0 },
                interrupted: interrupted)),
        ];
        interrupted.ThrowIfCancellationRequested();
        int caught = Array.FindIndex(reports, r => Shown(r, fault) is not null);

        // The same campaign again, now with shrinking.
        Finding? finding = caught < 0 ? null : Shown(
            Campaign.Run(system, Plan(fault, options, caught), null, interrupted), fault);
        interrupted.ThrowIfCancellationRequested();
        double[] seconds = [.. reports.Select(r => r.Elapsed.TotalSeconds).Order()];
        return new HuntResult(
            fault, options, finding,
            [.. reports.Select(r => Shown(r, fault)?.FoundAfter ?? HuntResult.NotCaught)],
            seconds[seconds.Length / 2], Others(reports, fault));
    }

    private static CampaignOptions Plan(Fault fault, HuntOptions options, int campaign) => new()
    {
        Seed = options.Seed + (ulong)campaign,
        Steps = options.Within,
        Goal = fault.IsShownBy,
    };

    private static Finding? Shown(CampaignReport report, Fault fault) =>
        report.Findings.FirstOrDefault(f => fault.IsShownBy(f.Fingerprint));

    private static ImmutableArray<Fingerprint> Others(
        IEnumerable<CampaignReport> reports, Fault fault) =>
    [
        .. reports.SelectMany(r => r.Findings).Select(f => f.Fingerprint)
            .Where(f => !fault.IsShownBy(f)).Distinct(),
    ];
}
