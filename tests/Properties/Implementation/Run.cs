using ShmCheck.Abi;
using ShmCheck.Impl;

namespace ShmCheck.Properties.Implementation;

/// <summary>A machine and what its handles stand for.</summary>
internal sealed class Run
{
    public Run(MachineConfig config)
        : this(new ShmMachine(config))
    {
        Bindings.Bind(ProcessHandle.First, System.FirstPid);
    }

    private Run(ShmMachine machine)
    {
        System = new ImplSystem(machine);
    }

    public ImplSystem System { get; }

    public Bindings Bindings { get; } = new();

    public ShmMachine Machine => System.Machine;

    /// <summary>Makes a call.</summary>
    /// <returns>The reply, or null for a call some of whose handles are not bound.</returns>
    public Reply? Make(Call call)
    {
        if (!Bindings.AreBound(call))
        {
            return null;
        }

        Reply reply = System.Execute(call, Bindings);
        Bindings.Bind(call, reply);
        return reply;
    }

    /// <summary>Another machine in the same state, with the same names.</summary>
    public Run Copy()
    {
        var copy = new Run(ShmMachine.Load(System.Save()));
        copy.Bindings.CopyFrom(Bindings);
        return copy;
    }

    public byte[] Canonical(CanonicalForm form)
    {
        var writer = new System.Buffers.ArrayBufferWriter<byte>();
        Machine.WriteCanonical(writer, form);
        return writer.WrittenSpan.ToArray();
    }
}
