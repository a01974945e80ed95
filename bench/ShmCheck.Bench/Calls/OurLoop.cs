using ShmCheck.Abi;
using ShmCheck.Bench.Reporting;
using ShmCheck.Impl;

namespace ShmCheck.Bench.Calls;

/// <summary>Makes the calls of a mix on our machine, by its own methods.</summary>
internal sealed class OurLoop
{
    private const int First = ShmMachine.FirstPid;
    private const int Create = ShmGetFlags.IPC_CREAT | 0x180;
    private const ulong Page = 4096;
    private const ulong HugePage = 2 << 20;
    private readonly Op[] _ops;
    private readonly ShmMachine _machine;
    private readonly int[] _segments = new int[65536];
    private readonly ulong[] _attaches = new ulong[65536];

    public OurLoop(Mix mix)
    {
        _ops = mix.Ops;
        _machine = new ShmMachine(new MachineConfig
        {
            Frames = 1 << 18, SwapSlots = mix.SwapSlots, HugePages = mix.HugePages,
        });
    }

    /// <summary>Makes all calls, again and again for at least so long.</summary>
    /// <param name="nanoseconds">How long.</param>
    /// <returns>Nanoseconds for each call.</returns>
    public double Run(double nanoseconds)
    {
        double spent = 0;
        int turns = 0;
        for (; turns == 0 || spent < nanoseconds; turns++)
        {
            spent += SideBySide.Time(1, MakeAll);
        }

        return spent / turns / _ops.Length;
    }

    private void MakeAll()
    {
        foreach (ref readonly Op op in _ops.AsSpan())
        {
            Outcome outcome = Make(op);
            if (!outcome.Succeeded)
            {
                throw new InvalidDataException($"{op} failed: {outcome}");
            }
        }
    }

    private Outcome Make(in Op op)
    {
        ulong size = op.C != 0 ? HugePage : Page;
        switch (op.Kind)
        {
            case OpKind.Get:
                Outcome segment = _machine.ShmGet(First, 0, (ulong)op.B * size,
                    op.C == 0 ? Create : Create | ShmGetFlags.SHM_HUGETLB);
                _segments[op.A] = (int)segment.Word;
                return segment;
            case OpKind.At:
                Outcome attach = _machine.ShmAt(First, _segments[op.B], 0, 0);
                _attaches[op.A] = (ulong)attach.Word;
                return attach;
            case OpKind.Store:
                return _machine.Store(First, _attaches[op.A] + ((ulong)op.B * size), 1);
            case OpKind.Load:
                return _machine.Load(First, _attaches[op.A] + ((ulong)op.B * size));
            case OpKind.Detach:
                return _machine.ShmDt(First, _attaches[op.A]);
            case OpKind.Remove:
                return _machine.ShmCtlRmid(First, _segments[op.A]);
            case OpKind.Stat:
                return _machine.ShmCtlStat(First, _segments[op.A], badBuffer: false, out _);
            case OpKind.Info:
                return _machine.ShmCtlShmInfo(First, 0, badBuffer: false, out _);
            case OpKind.Fork:
                return Fork(_attaches[op.A] + ((ulong)op.B * Page));
            default:
                return _machine.MAdvise(First, _attaches[op.A] + ((ulong)op.B * Page),
                    (ulong)op.C * Page, Advice.MADV_PAGEOUT);
        }
    }

    private Outcome Fork(ulong address)
    {
        Outcome child = _machine.Clone(First, CloneFlags.None);
        _machine.Store((int)child.Word, address, 1);
        _machine.Exit((int)child.Word);
        return child;
    }
}
