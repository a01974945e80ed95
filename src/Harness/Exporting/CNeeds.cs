using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using ShmCheck.Abi;
using ShmCheck.Harness.Traces;

namespace ShmCheck.Harness.Exporting;

/// <summary>What an exported program asks of the machine before it makes its calls, and the
/// sysctls that it sets for them.</summary>
internal sealed class CNeeds
{
    /// <summary>An environment variable: the release of the system says nothing of what it does.
    /// </summary>
    public const string AnyRelease = "ANY_RELEASE";

    /// <summary>What a program says that finds another release than those it is about.</summary>
    public const string OtherRelease = "needs Linux ";

    private readonly MachineConfig _machine;
    private readonly ImmutableArray<SpecifiedCall> _lines;
    private readonly ImmutableArray<Call> _calls;
    private readonly ImmutableArray<CKnob> _knobs;
    private readonly StringBuilder _text = new();

    /// <summary>Collects what a program needs.</summary>
    /// <param name="machine">The machine of its trace.</param>
    /// <param name="lines">Its calls.</param>
    /// <param name="profiles">The first and the last profile with the same calls.</param>
    /// <param name="swap">What their figures ask of the swap device.</param>
    public CNeeds(
        MachineConfig machine, ImmutableArray<SpecifiedCall> lines,
        (KernelProfile First, KernelProfile Last) profiles, CSwapNeeds swap)
    {
        _machine = machine;
        _lines = lines;
        _calls = [.. lines.Select(line => line.Call)];
        ulong low = _calls.Select(LowAddress).Max() ?? 0;
        _knobs =
        [
            .. CKnobs.Needed(machine, _calls),
            .. low >= machine.PageSize ? (CKnob[])[CKnobs.LowestAddress] : [],
        ];
        AddRelease(profiles);
        Need("unshare(CLONE_NEWIPC) == 0", "needs root, for an IPC namespace of its own");
        AddPages();
        AddMemory(low);
        AddSwap(swap);
        AddLimits();
        for (int at = 0; at < _knobs.Length; at++)
        {
            AddKnob(_knobs[at], at);
        }

        Text = _text.ToString();
        SetBack = string.Concat(_knobs.Select((knob, at) => knob.IsOfNamespace
            ? "" : $"\tput(\"{knob.Path}\", \"%ld\", old{at});\n"));
    }

    /// <summary>The lines that look for what is needed, and set the sysctls.</summary>
    public string Text { get; }

    /// <summary>The lines that set back the sysctls of the whole machine.</summary>
    public string SetBack { get; }

    private void Need(string condition, string what) =>
        _text.Append(CParts.Statement("need", condition, $"\"{what}\""));

    /// <summary>Kernels of other versions may do otherwise.</summary>
    private void AddRelease((KernelProfile First, KernelProfile Last) profiles)
    {
        ImmutableArray<KernelProfile> all = SystemCapabilities.AllProfiles;
        KernelProfile? next =
            all.Order().Where(p => p > profiles.Last).Cast<KernelProfile?>().FirstOrDefault();
        string? from = profiles.First == all.Min() ? null : KernelProfileText.Of(profiles.First);
        string? to = next is { } below ? KernelProfileText.Of(below) : null;
        string[] conditions =
        [
            .. from is null ? (string[])[] : [$"release() >= {Number(from)}"],
            .. to is null ? (string[])[] : [$"release() < {Number(to)}"],
        ];
        if (conditions.Length > 0)
        {
            Need($"getenv(\"{AnyRelease}\") || ({string.Join(" && ", conditions)})",
                OtherRelease + string.Join(' ',
                [
                    .. from is null ? (string[])[] : [$"{from} or later"],
                    .. to is null ? (string[])[] : [$"before {to}"],
                ]));
        }
    }

    private static string Number(string release)
    {
        string[] parts = release.Split('.');
        return $"{parts[0]}{parts[1].PadLeft(3, '0')}";
    }

    private void AddPages()
    {
        Need($"sysconf(_SC_PAGESIZE) == {_machine.PageSize}",
            $"needs pages of {_machine.PageSize} bytes");
        if (CKnobs.HasHugePages(_machine, _calls))
        {
            ulong kilobytes = _machine.HugePageSize / CFigure.Kilobyte;
            string size = CFigure.MemInfo("Hugepagesize");
            string orNone = CKnobs.HasPool(_machine, _calls) ? "" : $" || {size} == MISSING";
            Need($"{size} == {kilobytes}{orNone}", $"needs huge pages of {kilobytes} kB");
            Need($"{CFigure.MemInfo("HugePages_Free")} == {CFigure.MemInfo("HugePages_Total")}",
                "needs a pool of huge pages that nobody uses");
        }
    }

    private void AddMemory(ulong lowest)
    {
        if (_machine.Overcommit == OvercommitMode.Heuristic && _lines.Any(line =>
            line.Expected is ExpectedReply.Error { Errno: Errno.ENOMEM }))
        {
            Need("number(\"/proc/sys/vm/overcommit_memory\", \"\", \"%ld\") == 0",
                "needs vm.overcommit_memory to be 0");
        }

        if (lowest > 0 && lowest < _machine.PageSize)
        {
            Need($"number(\"{CKnobs.LowestAddress.Path}\", \"\", \"%ld\") >= {_machine.PageSize}",
                $"needs vm.mmap_min_addr >= {_machine.PageSize}");
        }
    }

    private void AddSwap(CSwapNeeds swap)
    {
        if (_machine.SwapSlots > 0)
        {
            ulong kilobytes = _machine.SwapSlots * _machine.PageSize / CFigure.Kilobyte;
            Need($"{CFigure.MemInfo("SwapFree")} >= {kilobytes}", $"needs {kilobytes} kB of swap");
            if (swap.IsFull)
            {
                Need($"{CFigure.MemInfo("SwapTotal")} == {kilobytes}",
                    $"needs {kilobytes} kB of swap and no more");
            }

            if (swap.ReadsCache)
            {
                Need($"{CFigure.MemInfo("SwapCached")} == 0", "needs an empty swap cache");
            }
        }
        else if (_calls.Any(call => call is MAdvise { Advice: Advice.MADV_PAGEOUT }))
        {
            Need($"{CFigure.MemInfo("SwapTotal")} == 0", "needs a machine without swap");
        }
    }

    private void AddLimits()
    {
        ulong[] limits = [.. _calls.Select(call => call switch
        {
            SetRLimit set => set.Limit,
            MLock or ShmCtlLock or ShmGet { Flags.HugeTlb: true } => MachineConfig.DefaultMemLock,
            _ => 0ul,
        }).Where(limit => limit > 0)];
        if (limits.Length == 0)
        {
            return;
        }

        foreach (ulong limit in
            limits.Append(MachineConfig.DefaultMemLock).Distinct().OrderDescending())
        {
            Need($"{CCall.Limit(limit)} == 0", $"needs a hard RLIMIT_MEMLOCK of {limit} bytes");
        }
    }

    /// <summary>Sets a knob; one of the whole machine is kept, to be set back.</summary>
    private void AddKnob(CKnob knob, int number)
    {
        string path = $"\"{knob.Path}\"";
        string format = knob.IsUnsigned ? "\"%lu\"" : "\"%ld\"";
        string value = knob.Value > long.MaxValue ? $"{knob.Value}UL" : $"{knob.Value}L";
        if (!knob.IsOfNamespace)
        {
            _text.Append(CultureInfo.InvariantCulture,
                $"\tlong old{number} = number({path}, \"\", {format});\n");
        }

        // What a system does not have at all, it has none of.
        string isSet = knob.Value == 0 ? "<= 0" : $"== (long){value}";
        _text.Append(CultureInfo.InvariantCulture, $"\tput({path}, {format}, {value});\n");
        Need($"number({path}, \"\", {format}) {isSet}", knob.Path);
    }

    /// <summary>The address that a call asks for, where to map it takes a right on some machines
    /// and none on others; null for other addresses.</summary>
    private static ulong? LowAddress(Call call) => call switch
    {
        ShmAt at => LowAddress(at.Address),
        MMap map => LowAddress(map.Start),
        MRemap remap => LowAddress(remap.NewAddress),
        _ => null,
    };

    private static ulong? LowAddress(AddressRef address) => address is
        { Kind: AddressRefKind.Literal, Base: > 0 and < MachineConfig.MinMapAddress }
            ? address.Base : null;
}

/// <summary>What the figures of a program ask of the swap device, beside slots.</summary>
/// <param name="IsFull">They show that it has no more slots than the machine of the trace.</param>
/// <param name="ReadsCache">One of them is the pages in the swap cache.</param>
internal readonly record struct CSwapNeeds(bool IsFull, bool ReadsCache);
