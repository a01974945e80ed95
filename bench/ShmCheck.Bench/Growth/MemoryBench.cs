using ShmCheck.Abi;
using ShmCheck.Bench.Reporting;
using ShmCheck.Impl;

namespace ShmCheck.Bench.Growth;

/// <summary>Memory that machines take, and how it follows what is in use.</summary>
internal static class MemoryBench
{
    private const int First = ShmMachine.FirstPid;
    private const ulong Page = 4096;

    public static void Run(TextWriter output)
    {
        var table = new Table("machine", "in use", "bytes", "bytes per page in use");
        foreach (int frames in (int[])[1 << 18, 1 << 24, 1 << 28])
        {
            foreach (int pages in (int[])[0, 1 << 10, 1 << 17])
            {
                Row(table, frames, pages);
            }
        }

        output.WriteLine("Memory of a machine:\n");
        output.WriteLine(table);
    }

    private static void Row(Table table, int frames, int pages)
    {
        long before = GC.GetTotalMemory(forceFullCollection: true);
        var machine = new ShmMachine(new MachineConfig
        {
            Frames = (ulong)frames, SwapSlots = (ulong)frames,
        });
        Touch(machine, pages);
        long bytes = GC.GetTotalMemory(forceFullCollection: true) - before;
        GC.KeepAlive(machine);
        table.Add($"2^{int.Log2(frames)} frames and slots ({(long)frames * 4 >> 20} GiB)",
            pages == 0 ? "nothing" : $"{pages} pages", $"{bytes:N0}",
            pages == 0 ? "" : $"{bytes / (double)pages:0}");
    }

    private static void Touch(ShmMachine machine, int pages)
    {
        if (pages == 0)
        {
            return;
        }

        int id = (int)machine.ShmGet(
            First, 0, (ulong)pages * Page, ShmGetFlags.IPC_CREAT | 0x180).Word;
        ulong address = (ulong)machine.ShmAt(First, id, 0, 0).Word;
        for (int page = 0; page < pages; page++)
        {
            machine.Store(First, address + ((ulong)page * Page), 1);
        }
    }
}
